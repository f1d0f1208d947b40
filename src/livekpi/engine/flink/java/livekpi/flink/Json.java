package livekpi.flink;

import java.nio.charset.StandardCharsets;

/**
 * Reads JSON (RFC 8259) from bytes, a token at a time, and takes nothing that is none. Nothing recurses: depth costs no stack.
 * Syntax errors are thrown as Fault.
 */
final class Json {
    static final int MAX_DEPTH = 500;

    byte[] bytes;
    int at;
    int end;
    /** Of the string, number or other value read last: where it stands; a string without its quotes. */
    int from, to;
    /** Whether the string read last has escapes, and whether it has bytes beyond ASCII. */
    boolean escaped, wide;
    /** Whether the number read last has neither fraction nor exponent. */
    boolean whole;

    private final long[] objects = new long[MAX_DEPTH / 64 + 1]; // a bit for each level that is open: whether it is an object

    void open(byte[] record, int begin, int length) {
        bytes = record;
        at = begin;
        end = begin + length;
    }

    /** The next byte that is no white space, which is not passed; 0 at the end. */
    int peek() {
        while (at < end) {
            int next = bytes[at];
            if (next != ' ' && next != '\n' && next != '\t' && next != '\r') {
                return next;
            }
            at++;
        }
        return 0;
    }

    void expect(char wanted) {
        if (peek() != wanted) {
            throw wrong("expected `" + wanted + "`");
        }
        at++;
    }

    /** Passes a string whose opening quote is next; whether it is UTF-8 is for the caller to see. */
    void string() {
        if (peek() != '"') {
            throw wrong("expected a string");
        }
        from = ++at;
        escaped = false;
        int seen = 0;
        while (at < end) {
            int next = bytes[at];
            if (next == '"') {
                to = at++;
                wide = seen < 0;
                return;
            }
            if (next == '\\') {
                escaped = true;
                escape();
            } else if (next >= 0 && next < ' ') {
                throw wrong("a control character in a string");
            } else {
                seen |= next;
                at++;
            }
        }
        throw wrong("it ends within a string");
    }

    private void escape() {
        int kind = at + 1 < end ? bytes[at + 1] : 0;
        if (kind == 'u') {
            int unit = unit(at + 2);
            at += 6;
            if (Character.isLowSurrogate((char) unit)) {
                throw wrong("half a surrogate pair");
            }
            if (Character.isHighSurrogate((char) unit)) {
                if (at + 1 >= end || bytes[at] != '\\' || bytes[at + 1] != 'u' || !Character.isLowSurrogate((char) unit(at + 2))) {
                    throw wrong("half a surrogate pair");
                }
                at += 6;
            }
        } else if (kind != 0 && "\"\\/bfnrt".indexOf(kind) >= 0) {
            at += 2;
        } else {
            throw wrong("no such escape in a string");
        }
    }

    private int unit(int place) {
        int found = 0;
        for (int index = place; index < place + 4; index++) {
            int digit = index < end ? Character.digit(bytes[index], 16) : -1;
            if (digit < 0) {
                throw wrong("expected four hexadecimal digits");
            }
            found = found * 16 + digit;
        }
        return found;
    }

    /** The string read last, without escapes, in UTF-8. */
    byte[] unescaped() {
        StringBuilder text = new StringBuilder(to - from);
        String raw = new String(bytes, from, to - from, StandardCharsets.UTF_8);
        for (int index = 0; index < raw.length(); index++) {
            char next = raw.charAt(index);
            if (next != '\\') {
                text.append(next);
                continue;
            }
            char kind = raw.charAt(++index);
            if (kind == 'u') {
                text.append((char) Integer.parseInt(raw.substring(index + 1, index + 5), 16));
                index += 4;
            } else {
                int place = "bfnrt".indexOf(kind);
                text.append(place < 0 ? kind : "\b\f\n\r\t".charAt(place));
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Passes a number that is next. */
    void number() {
        peek();
        from = at;
        whole = true;
        if (at < end && bytes[at] == '-') {
            at++;
        }
        int first = at < end ? bytes[at] : 0;
        digits();
        if (first == '0' && at > from + 1 + (bytes[from] == '-' ? 1 : 0)) {
            throw wrong("a number begins with 0");
        }
        if (at < end && bytes[at] == '.') {
            whole = false;
            at++;
            digits();
        }
        if (at < end && (bytes[at] | 0x20) == 'e') {
            whole = false;
            at++;
            if (at < end && (bytes[at] == '+' || bytes[at] == '-')) {
                at++;
            }
            digits();
        }
        to = at;
    }

    private void digits() {
        int begin = at;
        while (at < end && bytes[at] >= '0' && bytes[at] <= '9') {
            at++;
        }
        if (at == begin) {
            throw wrong("expected a digit");
        }
    }

    /** Whether a word (true, false, null) is next, which then is passed. */
    boolean word(String wanted) {
        if (end - at < wanted.length()) {
            return false;
        }
        for (int index = 0; index < wanted.length(); index++) {
            if (bytes[at + index] != wanted.charAt(index)) {
                return false;
            }
        }
        from = at;
        at += wanted.length();
        to = at;
        return true;
    }

    /** Passes whatever value is next, and says where it stands: `from`, `to`, a string with its quotes. */
    void skip() {
        peek();
        int begin = at;
        int depth = 0;
        do {
            switch (peek()) {
                case '{':
                case '[':
                    depth = enter(depth);
                    break;
                case '"':
                    string();
                    break;
                default:
                    plain();
            }
            depth = leave(depth);
        } while (depth > 0);
        from = begin;
        to = at;
    }

    private int enter(int depth) {
        boolean object = bytes[at++] == '{';
        if (depth + 1 >= MAX_DEPTH) { // the record itself is one
            throw new Fault("too_deep", null, "nests more than " + MAX_DEPTH + " objects and arrays in one another");
        }
        long bit = 1L << depth;
        objects[depth >> 6] = object ? objects[depth >> 6] | bit : objects[depth >> 6] & ~bit;
        if (peek() != (object ? '}' : ']')) {
            if (object) {
                key();
            }
            opened = true;
        } else {
            opened = false;
        }
        return depth + 1;
    }

    private boolean opened;

    /** After a value, or the beginning of one with parts: closes what ends here, and goes to the next value. */
    private int leave(int depth) {
        if (opened) {
            opened = false;
            return depth;
        }
        while (depth > 0) {
            boolean object = (objects[(depth - 1) >> 6] >>> (depth - 1) & 1) != 0;
            int next = peek();
            if (next == (object ? '}' : ']')) {
                at++;
                depth--;
            } else if (next == ',') {
                at++;
                if (object) {
                    key();
                }
                return depth;
            } else {
                throw wrong(object ? "expected `,` or `}`" : "expected `,` or `]`");
            }
        }
        return 0;
    }

    private void key() {
        string();
        expect(':');
    }

    /** Passes a number, true, false or null. */
    void plain() {
        int next = peek();
        if (next == '-' || next >= '0' && next <= '9') {
            number();
        } else if (!word("true") && !word("false") && !word("null")) {
            throw wrong("expected a value");
        }
    }

    Fault wrong(String reason) {
        return new Fault(Fault.NOT_JSON, null, at < end ? reason + " at byte " + at : "it ends too early: " + reason);
    }

    static boolean isUtf8(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to) {
            int lead = bytes[at++];
            if (lead >= 0) {
                continue;
            }
            lead &= 0xff;
            int more = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
            if (more == 0 || at + more > to) {
                return false;
            }
            int second = bytes[at] & 0xff;
            int least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
            int greatest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
            if (second < least || second > greatest) {
                return false;
            }
            for (int index = 1; index < more; index++) {
                if ((bytes[at + index] & 0xc0) != 0x80) {
                    return false;
                }
            }
            at += more;
        }
        return true;
    }
}
