package livekpi.flink;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;

/** JSON that has been read before, and so is known to be right, with numbers that no double holds as strings of their digits. */
final class JsonNumbers {
    /** With the point: any number of so few a double gives back as it was written. */
    private static final int SURE_DIGITS = 16;

    private JsonNumbers() {}

    /** A piece of `bytes` so written; null where it is already. */
    static byte[] exact(byte[] bytes, int from, int to) {
        ByteArrayOutputStream out = null;
        int copied = from;
        for (int at = from; at < to; ) {
            int end = bytes[at] == '"' ? string(bytes, at) : starts(bytes[at]) ? number(bytes, at, to) : at + 1;
            if (bytes[at] != '"' && end - at > SURE_DIGITS && !isHeld(new String(bytes, at, end - at, StandardCharsets.US_ASCII))) {
                out = out == null ? new ByteArrayOutputStream(to - from + 16) : out;
                out.write(bytes, copied, at - copied);
                out.write('"');
                out.write(bytes, at, end - at);
                out.write('"');
                copied = end;
            }
            at = end;
        }
        if (out == null) {
            return null;
        }
        out.write(bytes, copied, to - copied);
        return out.toByteArray();
    }

    private static boolean starts(byte first) {
        return first == '-' || first >= '0' && first <= '9';
    }

    private static int string(byte[] bytes, int at) {
        do {
            at += bytes[at] == '\\' ? 2 : 1;
        } while (bytes[at] != '"');
        return at + 1;
    }

    private static int number(byte[] bytes, int at, int to) {
        while (at < to && (starts(bytes[at]) || ".eE+".indexOf(bytes[at]) >= 0)) {
            at++;
        }
        return at;
    }

    /** Whether a double, or an integer, has all of a number's digits; what is beyond a double stays as it is. */
    private static boolean isHeld(String number) {
        if (number.indexOf('.') < 0 && number.indexOf('e') < 0 && number.indexOf('E') < 0) {
            return true;
        }
        double near = Double.parseDouble(number);
        return near == 0 || Double.isInfinite(near) || new BigDecimal(number).compareTo(new BigDecimal(Doubles.json(near))) == 0;
    }
}
