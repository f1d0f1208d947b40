package livekpi.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** How a group's state is written: its names, and a value each. What it has been read with says what it is. */
public final class StateSerializer extends TypeSerializerSingleton<Cells.State> {
    static final StateSerializer INSTANCE = new StateSerializer();
    private static final long serialVersionUID = 1;

    @Override
    public boolean isImmutableType() {
        return false;
    }

    @Override
    public Cells.State createInstance() {
        return new Cells.State();
    }

    @Override
    public Cells.State copy(Cells.State from) {
        return from.copy();
    }

    @Override
    public Cells.State copy(Cells.State from, Cells.State reuse) {
        return from.copy();
    }

    @Override
    public int getLength() {
        return -1;
    }

    @Override
    public void serialize(Cells.State state, DataOutputView to) throws IOException {
        to.writeShort(state.names.length);
        for (int at = 0; at < state.names.length; at++) {
            to.writeLong(state.names[at]);
            to.writeBoolean(state.values[at] != null);
            if (state.values[at] != null) {
                state.values[at].write(to);
            }
        }
    }

    @Override
    public Cells.State deserialize(DataInputView from) throws IOException {
        Cells.State state = new Cells.State();
        int count = from.readUnsignedShort();
        state.names = new long[count];
        state.values = new Value[count];
        for (int at = 0; at < count; at++) {
            state.names[at] = from.readLong();
            state.values[at] = from.readBoolean() ? Value.read(from) : null;
        }
        return state;
    }

    @Override
    public Cells.State deserialize(Cells.State reuse, DataInputView from) throws IOException {
        return deserialize(from);
    }

    @Override
    public void copy(DataInputView from, DataOutputView to) throws IOException {
        serialize(deserialize(from), to);
    }

    @Override
    public TypeSerializerSnapshot<Cells.State> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Says in a savepoint that this class has written it. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Cells.State> {
        public Snapshot() {
            super(() -> INSTANCE);
        }
    }
}
