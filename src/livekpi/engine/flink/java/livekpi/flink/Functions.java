package livekpi.flink;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** What SQL on Flink has not, or has with another meaning than the embedded engine: each gives null where it can't be computed. */
public final class Functions {
    private Functions() {}

    public static final class Add extends ScalarFunction {
        public Long eval(Long left, Long right) {
            long sum = left == null || right == null ? 0 : left + right;
            return left == null || right == null || ((left ^ sum) & (right ^ sum)) < 0 ? null : (Long) sum;
        }
    }

    public static final class Subtract extends ScalarFunction {
        public Long eval(Long left, Long right) {
            long rest = left == null || right == null ? 0 : left - right;
            return left == null || right == null || ((left ^ right) & (left ^ rest)) < 0 ? null : (Long) rest;
        }
    }

    public static final class Multiply extends ScalarFunction {
        public Long eval(Long left, Long right) {
            if (left == null || right == null) {
                return null;
            }
            long product = left * right;
            return Math.multiplyHigh(left, right) == product >> 63 ? (Long) product : null;
        }
    }

    public static final class Abs extends ScalarFunction {
        public Long eval(Long number) {
            return number == null || number == Long.MIN_VALUE ? null : (Long) Math.abs(number);
        }
    }

    /** The remainder, with the dividend's sign. */
    public static final class Modulo extends ScalarFunction {
        public Double eval(Double left, Double right) {
            return left == null || right == null ? null : (Double) (left % right);
        }

        public Long eval(Long left, Long right) {
            boolean none = left == null || right == null || right == 0 || right == -1 && left == Long.MIN_VALUE;
            return none ? null : (Long) (left % right);
        }
    }

    /** The quotient. Flink's planner stumbles over its own where dividend and divisor are constants. */
    public static final class Divide extends ScalarFunction {
        public Double eval(Double left, Double right) {
            return left == null || right == null ? null : (Double) (left / right);
        }
    }

    /** Below 0, 0, or above 0; 0 and -0 are equal, NaN is equal to itself and greater than all else. */
    public static final class Compare extends ScalarFunction {
        public Integer eval(Double left, Double right) {
            return left == null || right == null ? null : (Integer) Double.compare(left + 0.0, right + 0.0);
        }

        public Integer eval(String left, String right) {
            return left == null || right == null ? null : (Integer) order(left, right);
        }
    }

    public static final class Greatest extends ScalarFunction {
        public Double eval(Double left, Double right) {
            return left == null || right == null ? null : Double.compare(left + 0.0, right + 0.0) >= 0 ? left : right;
        }

        public String eval(String left, String right) {
            return left == null || right == null ? null : order(left, right) >= 0 ? left : right;
        }
    }

    public static final class Least extends ScalarFunction {
        public Double eval(Double left, Double right) {
            return left == null || right == null ? null : Double.compare(left + 0.0, right + 0.0) <= 0 ? left : right;
        }

        public String eval(String left, String right) {
            return left == null || right == null ? null : order(left, right) <= 0 ? left : right;
        }
    }

    /** The order of texts by their characters, which is that of their bytes in UTF-8; Java's and Flink's own is that of UTF-16. */
    private static int order(String left, String right) {
        int end = Math.min(left.length(), right.length());
        for (int index = 0; index < end; index++) {
            char one = left.charAt(index), other = right.charAt(index);
            if (one != other) {
                boolean beyond = Character.isSurrogate(one); // such a pair means a character above all of one unit
                return beyond == Character.isSurrogate(other) ? one - other : beyond ? 1 : -1;
            }
        }
        return left.length() - right.length();
    }

    /** The natural logarithm; NaN of what is negative. */
    public static final class Ln extends ScalarFunction {
        public Double eval(Double number) {
            return number == null ? null : (Double) Math.log(number);
        }
    }

    public static final class Round extends ScalarFunction {
        public Double eval(Double number) {
            return number == null ? null : (Double) halfAway(number);
        }

        public Double eval(Double number, Long digits) {
            if (number == null || digits == null) {
                return null;
            }
            double power = Math.pow(10, Math.abs(digits));
            double found = digits < 0 ? halfAway(number / power) * power : halfAway(number * power) / power;
            boolean lost = Double.isInfinite(found) || Double.isNaN(found);
            return lost ? digits < 0 ? 0.0 : number : found;
        }
    }

    static double halfAway(double number) {
        double whole = Math.floor(Math.abs(number));
        return Math.copySign(Math.abs(number) - whole >= 0.5 ? whole + 1 : whole, number);
    }

    public static final class Upper extends ScalarFunction {
        public String eval(String text) {
            return text == null ? null : map(text, point -> point == 'ß' ? 'ẞ' : Character.toUpperCase(point));
        }
    }

    public static final class Lower extends ScalarFunction {
        public String eval(String text) {
            return text == null ? null : map(text, Character::toLowerCase);
        }
    }

    private static String map(String text, java.util.function.IntUnaryOperator change) {
        StringBuilder found = new StringBuilder(text.length());
        text.codePoints().map(change).forEach(found::appendCodePoint);
        return found.toString();
    }

    public static final class Trim extends ScalarFunction {
        public String eval(String text) {
            if (text == null) {
                return null;
            }
            int from = 0, to = text.length(); // no space is beyond 16 bits
            while (from < to && Character.getType(text.charAt(from)) == Character.SPACE_SEPARATOR) {
                from++;
            }
            while (to > from && Character.getType(text.charAt(to - 1)) == Character.SPACE_SEPARATOR) {
                to--;
            }
            return text.substring(from, to);
        }
    }

    /** Null where the count is beyond 32 bits; so far below 0 it is nothing. */
    public static final class Left extends ScalarFunction {
        public String eval(String text, Long count) {
            return text == null || count == null || count >= Substring.BEYOND ? null : slice(text, 0, count < 0 ? size(text) + count : count);
        }
    }

    public static final class Right extends ScalarFunction {
        public String eval(String text, Long count) {
            return text == null || count == null ? null : slice(text, count < 0 ? -Math.max(count, -Long.MAX_VALUE) : size(text) - count, size(text));
        }
    }

    /** Null where a place or a length is beyond 32 bits. */
    public static final class Substring extends ScalarFunction {
        private static final long BEYOND = 1L << 32;

        public String eval(String text, Long start) {
            return text == null || start == null || outside(start) ? null : slice(text, begin(text, start), size(text));
        }

        public String eval(String text, Long start, Long length) {
            if (text == null || start == null || length == null || outside(start) || outside(length)) {
                return null;
            }
            long begin = begin(text, start);
            return length < 0 ? slice(text, begin + length, begin) : slice(text, begin, begin + length);
        }

        private static boolean outside(long number) {
            return number < -BEYOND || number >= BEYOND;
        }

        private static long begin(String text, long start) {
            return start < 0 ? size(text) + start : start - 1;
        }
    }

    private static long size(String text) {
        return text.codePointCount(0, text.length());
    }

    /** The characters from one place to another, as far as there are any. */
    private static String slice(String text, long from, long to) {
        long size = size(text);
        int begin = (int) Math.min(Math.max(from, 0), size), end = (int) Math.min(Math.max(to, begin), size);
        return text.substring(text.offsetByCodePoints(0, begin), text.offsetByCodePoints(0, end));
    }

    public static final class Replace extends ScalarFunction {
        public String eval(String text, String wanted, String by) {
            boolean none = text == null || wanted == null || by == null;
            return none ? null : wanted.isEmpty() ? text : text.replace(wanted, by);
        }
    }

    public static final class SplitPart extends ScalarFunction {
        public String eval(String text, String divider, Long place) {
            if (text == null || divider == null || place == null) {
                return null;
            }
            String[] parts = divider.isEmpty() ? text.codePoints().mapToObj(Character::toString).toArray(String[]::new)
                    : text.split(Pattern.quote(divider), -1);
            long index = place < 0 ? parts.length + place : place - 1;
            return index < 0 || index >= parts.length ? "" : parts[(int) index];
        }
    }

    public static final class Contains extends ScalarFunction {
        public Boolean eval(String text, String part) {
            return text == null || part == null ? null : (Boolean) text.contains(part);
        }
    }

    public static final class StartsWith extends ScalarFunction {
        public Boolean eval(String text, String part) {
            return text == null || part == null ? null : (Boolean) text.startsWith(part);
        }
    }

    /** SQL's LIKE, without an escape. */
    public static final class Like extends ScalarFunction {
        public Boolean eval(String text, String pattern) {
            if (text == null || pattern == null) {
                return null;
            }
            int at = 0, want = 0, star = -1, held = 0;
            while (at < text.length()) {
                int size = Character.charCount(text.codePointAt(at));
                if (want < pattern.length() && pattern.charAt(want) == '%') {
                    star = want++;
                    held = at;
                } else if (want < pattern.length() && pattern.charAt(want) == '_') {
                    want++;
                    at += size;
                } else if (want < pattern.length() && pattern.codePointAt(want) == text.codePointAt(at)) {
                    want += size;
                    at += size;
                } else if (star >= 0) {
                    want = star + 1;
                    held += Character.charCount(text.codePointAt(held));
                    at = held;
                } else {
                    return false;
                }
            }
            while (want < pattern.length() && pattern.charAt(want) == '%') {
                want++;
            }
            return want == pattern.length();
        }
    }

    private static Long whole(BigDecimal number) {
        if (number.precision() - number.scale() > 19) {
            return null;
        }
        BigDecimal rounded = number.setScale(0, RoundingMode.HALF_UP);
        return rounded.toBigInteger().bitLength() > 63 ? null : (Long) rounded.longValue();
    }

    // of a text a cast is only given what is written as a number (see definition/sql/text_casts.py)

    public static final class ToInteger extends ScalarFunction {
        public Long eval(String text) {
            return text == null ? null : whole(new BigDecimal(text));
        }

        /** Halves go to the even neighbour. */
        public Long eval(Double number) {
            double rounded = number == null ? Double.NaN : Math.rint(number);
            return rounded >= -0x1p63 && rounded < 0x1p63 ? (Long) (long) rounded : null;
        }
    }

    public static final class ToNumber extends ScalarFunction {
        public Double eval(String text) {
            return text == null ? null : (Double) Double.parseDouble(text);
        }
    }

    /** The plain digits of a number with so many behind the point; null where it has more than fit. */
    public static final class ToDecimal extends ScalarFunction {
        public String eval(String text, Integer precision, Integer scale) {
            return text == null ? null : fit(new BigDecimal(text), precision, scale);
        }

        public String eval(Double number, Integer precision, Integer scale) {
            if (number == null || number.isNaN() || number.isInfinite() || Math.abs(number) > 1e38) {
                return null;
            }
            return fit(new BigDecimal(halfAway(number * Math.pow(10, scale))).scaleByPowerOfTen(-scale), precision, scale);
        }

        private static String fit(BigDecimal number, int precision, int scale) {
            if (number.signum() != 0 && number.precision() - number.scale() > precision - scale) {
                return null;
            }
            BigDecimal rounded = number.setScale(scale, RoundingMode.HALF_UP);
            return rounded.precision() > precision ? null : rounded.toPlainString();
        }
    }

    public static final class ToBoolean extends ScalarFunction {
        public Boolean eval(String text) {
            switch (text == null ? "" : text.toLowerCase(Locale.ROOT)) {
                case "true": case "t": case "1": case "yes": case "y": return true;
                case "false": case "f": case "0": case "no": case "n": return false;
                default: return null;
            }
        }
    }

    /** A value's text. */
    public static final class Text extends ScalarFunction {
        private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT);

        public String eval(Double number) {
            return number == null ? null : Doubles.text(number);
        }

        public String eval(@DataTypeHint("TIMESTAMP(6)") LocalDateTime time) {
            if (time == null) {
                return null;
            }
            String fraction = String.format("%06d", time.getNano() / 1000).replaceFirst("0+$", "");
            return SECONDS.format(time) + (fraction.isEmpty() ? "" : "." + fraction);
        }
    }

    /** The µs since the epoch. */
    public static final class Micros extends ScalarFunction {
        public Long eval(@DataTypeHint("TIMESTAMP(6)") LocalDateTime time) {
            return time == null ? null : (Long) (time.toEpochSecond(java.time.ZoneOffset.UTC) * 1_000_000 + time.getNano() / 1000);
        }
    }

    /** A value's text behind its time and position, of which the greatest is the last one's; null where it has none. */
    public static final class Stamp extends ScalarFunction {
        private static final int DIGITS = 20;

        public String eval(Long timeUs, Long position, Double number) {
            return number == null ? null : eval(timeUs, position, Doubles.text(number + 0.0)); // -0 is 0
        }

        public String eval(Long timeUs, Long position, String text) {
            if (text == null) {
                return null;
            }
            StringBuilder found = new StringBuilder(2 * DIGITS + text.length());
            for (long number : new long[] {timeUs, position}) {
                String digits = Long.toString(number);
                found.append("00000000000000000000", 0, DIGITS - digits.length()).append(digits);
            }
            return found.append(text).toString();
        }
    }

    /** A value as it is; the name is that of the state it was read from, by which Executor finds it. */
    public static final class Named extends ScalarFunction {
        public Long eval(String name, Long value) {
            return value;
        }

        public String eval(String name, String value) {
            return value;
        }
    }

    /** The text of a part of JSON: {@code name}, {@code 0} and so on, one a line; a name has a quote before it. */
    public static final class JsonPart extends ScalarFunction {
        private transient Map<String, JsonParts> parts; // one instance serves all expressions

        @Override
        public void open(FunctionContext context) {
            parts = new HashMap<>();
        }

        public String eval(String json, String path) {
            return json == null ? null : parts.computeIfAbsent(path, JsonParts::new).of(json);
        }
    }
}
