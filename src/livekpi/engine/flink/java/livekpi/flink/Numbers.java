package livekpi.flink;

import java.nio.charset.StandardCharsets;

/** Numbers in JSON's grammar, from bytes. */
final class Numbers {
    private static final double[] POWERS = new double[23]; // those of ten that a double holds exactly

    static {
        POWERS[0] = 1;
        for (int index = 1; index < POWERS.length; index++) {
            POWERS[index] = POWERS[index - 1] * 10;
        }
    }

    private Numbers() {}

    /** A whole number; null where 64 bits do not hold it. */
    static Long integer(byte[] bytes, int from, int to) {
        boolean negative = bytes[from] == '-';
        int at = negative ? from + 1 : from;
        if (to - at > 19) {
            return null;
        }
        long found = 0;
        for (; at < to; at++) {
            int digit = bytes[at] - '0';
            if (found < (Long.MIN_VALUE + digit) / 10) { // what is negative reaches further
                return null;
            }
            found = found * 10 - digit;
        }
        return negative ? (Long) found : found == Long.MIN_VALUE ? null : (Long) (-found);
    }

    /** The double nearest to a number; null where that is infinite. */
    static Double finite(byte[] bytes, int from, int to) {
        boolean negative = bytes[from] == '-';
        long digits = 0;
        int count = 0, fraction = 0;
        boolean behind = false;
        for (int at = negative ? from + 1 : from; at < to; at++) {
            int next = bytes[at];
            if (next == '.') {
                behind = true;
            } else if (next >= '0' && next <= '9' && count < 16) {
                digits = digits * 10 + next - '0';
                count += digits == 0 ? 0 : 1;
                fraction += behind ? 1 : 0;
            } else { // an exponent, or more digits than are quick
                double found = Double.parseDouble(new String(bytes, from, to - from, StandardCharsets.US_ASCII));
                return Double.isInfinite(found) ? null : (Double) found;
            }
        }
        if (digits >= 1L << 53 || fraction >= POWERS.length) {
            return Double.parseDouble(new String(bytes, from, to - from, StandardCharsets.US_ASCII));
        }
        double found = digits / POWERS[fraction];
        return negative ? -found : found;
    }
}
