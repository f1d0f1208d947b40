import random
import socket

from tests.servers.ports import free_ports


def test_ports_are_different_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_a_port_in_use_is_passed_over() -> None:
    [first, second] = free_ports(2, random.Random(7))
    with socket.create_server(("127.0.0.1", first)):
        assert free_ports(1, random.Random(7)) == [second]
