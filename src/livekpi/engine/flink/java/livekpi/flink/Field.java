package livekpi.flink;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;

/** A declared field: reads its value, strictly, or says what is wrong. */
final class Field {
    private static final Pattern DECLARATION =
            Pattern.compile("(?<optional>optional )?(?<kind>[a-z]+)(?:\\((?<argument>.*)\\))?", Pattern.DOTALL);
    private static final int SHOWN = 80;
    private static final int MAX_EXPONENT = 100_000, MAX_EXPONENT_DIGITS = 9;

    final String name;
    final byte[] key;
    final boolean optional;
    final String kind;
    /** What the value must be before it is looked at closely: string, integer, number, boolean, or any. */
    private final boolean isTime;
    private final String written;
    private final int precision, scale;
    private final String format;
    private final Times.Format pattern;

    /** A line such as {@code amount: optional decimal(18, 2)}; `timeField` is the one that every event must have. */
    Field(String line, String timeField) {
        int colon = line.indexOf(": ");
        name = line.substring(0, colon);
        key = name.getBytes(StandardCharsets.UTF_8);
        isTime = name.equals(timeField);
        Matcher match = DECLARATION.matcher(line.substring(colon + 2));
        if (!match.matches()) {
            throw new IllegalArgumentException("no field's declaration: " + line);
        }
        optional = match.group("optional") != null;
        kind = match.group("kind");
        boolean decimal = kind.equals("decimal"), time = kind.equals("timestamp");
        String argument = match.group("argument");
        String[] digits = decimal ? argument.split(",") : new String[] {"0", "0"};
        precision = Integer.parseInt(digits[0].trim());
        scale = Integer.parseInt(digits[1].trim());
        format = time ? argument : null;
        pattern = format == null || format.startsWith("epoch_") ? null : new Times.Format(format);
        written = decimal || kind.equals("json") ? "any" : !time ? kind : writtenTime();
    }

    private String writtenTime() {
        return format == null || pattern != null ? "string" : format.equals("epoch_s") ? "number" : "integer";
    }

    /** Whether a value that is next in the record has the form that the field's has, judged by its first byte and its digits. */
    private boolean fits(Json json, int first) {
        switch (written) {
            case "string": return first == '"';
            case "boolean": return first == 't' || first == 'f';
            case "integer": return isNumber(first) && json.whole;
            case "number": return isNumber(first);
            default: return true;
        }
    }

    private static boolean isNumber(int first) {
        return first == '-' || first >= '0' && first <= '9';
    }

    /** The value that is next in the record, in Flink's own form; a Fault, returned, where it is wrong. Throws one where it is no JSON. */
    Object read(Json json) {
        int first = json.peek();
        int begin = json.at;
        if (first == '"') {
            json.string();
        } else if (first == '{' || first == '[') {
            json.skip();
        } else {
            json.plain();
        }
        boolean any = written.equals("any");
        if (first == 'n') {
            return optional ? null : wrong(json, begin, any);
        }
        if (first == '"' && json.wide && (written.equals("string") || kind.equals("decimal")) && !Json.isUtf8(json.bytes, json.from, json.to)) {
            return new Fault(Fault.NOT_JSON, name, "not UTF-8: " + shown(json.bytes, begin, json.at));
        }
        if (kind.equals("json")) {
            if (!Json.isUtf8(json.bytes, begin, json.at)) {
                return wrong(json, begin, true);
            }
            byte[] exact = JsonNumbers.exact(json.bytes, begin, json.at);
            return exact == null ? string(json.bytes, begin, json.at - begin) : StringData.fromBytes(exact);
        }
        if (!fits(json, first)) {
            return wrong(json, begin, any);
        }
        Object value = convert(json, first);
        return value == null ? wrong(json, begin, any || kind.equals("timestamp") && !outside(json)) : value;
    }

    /** Whether a time is no such number at all. */
    private boolean outside(Json json) {
        boolean integer = written.equals("integer") && Numbers.integer(json.bytes, json.from, json.to) == null;
        return integer || written.equals("number") && Numbers.finite(json.bytes, json.from, json.to) == null;
    }

    private static StringData string(byte[] bytes, int from, int length) {
        return org.apache.flink.table.data.binary.BinaryStringData.fromBytes(bytes, from, length);
    }

    private Object convert(Json json, int first) {
        switch (kind) {
            case "string": return json.escaped ? StringData.fromBytes(json.unescaped()) : string(json.bytes, json.from, json.to - json.from);
            case "boolean": return first == 't';
            case "integer": return integer(json);
            case "number": return number(json);
            case "decimal": return isNumber(first) ? decimal(json) : null;
            default: return time(json);
        }
    }

    /** A whole number has no -0. */
    private static Double number(Json json) {
        Double found = Numbers.finite(json.bytes, json.from, json.to);
        return json.whole && found != null ? (Double) (found + 0.0) : found;
    }

    private static Long integer(Json json) {
        return Numbers.integer(json.bytes, json.from, json.to);
    }

    private DecimalData decimal(Json json) {
        if (json.whole && json.to - json.from <= 18 && precision <= 18) {
            Long number = integer(json);
            BigDecimal plain = BigDecimal.valueOf(number);
            return plain.signum() != 0 && plain.precision() > precision - scale ? null : DecimalData.fromBigDecimal(plain, precision, scale);
        }
        return exact(new String(json.bytes, json.from, json.to - json.from, StandardCharsets.US_ASCII));
    }

    private DecimalData exact(String text) {
        int exponent = Math.max(text.indexOf('e'), text.indexOf('E'));
        if (exponent >= 0) {
            String digits = text.substring(exponent + 1).replaceFirst("^[+-]", "");
            if (digits.length() > MAX_EXPONENT_DIGITS) {
                return null;
            }
            digits = digits.replaceFirst("^0*", "");
            boolean zero = text.substring(0, exponent).matches("[-0.]*");
            if (zero) {
                return DecimalData.zero(precision, scale);
            }
            if (digits.length() > 6 || !digits.isEmpty() && Integer.parseInt(digits) > MAX_EXPONENT) {
                return null; // no record has so many digits that it would fit
            }
        }
        BigDecimal number = new BigDecimal(text);
        if (number.signum() == 0) {
            return DecimalData.zero(precision, scale);
        }
        if (number.precision() - number.scale() > precision - scale) {
            return null;
        }
        if (number.scale() > scale) {
            number = number.stripTrailingZeros();
            if (number.scale() > scale) {
                return null;
            }
        }
        return DecimalData.fromBigDecimal(number, precision, scale);
    }

    private TimestampData time(Json json) {
        long timeUs = timeUs(json);
        return timeUs == Times.NONE || !Times.within(timeUs) ? null : timestamp(timeUs);
    }

    static TimestampData timestamp(long timeUs) {
        return TimestampData.fromEpochMillis(timeUs / 1000, (int) (timeUs % 1000) * 1000);
    }

    static long timeUs(TimestampData time) {
        return time.getMillisecond() * 1000 + time.getNanoOfMillisecond() / 1000;
    }

    private long timeUs(Json json) {
        if (written.equals("string")) {
            byte[] bytes = json.bytes;
            int from = json.from, to = json.to;
            if (json.escaped) {
                bytes = json.unescaped();
                from = 0;
                to = bytes.length;
            }
            return pattern == null ? Times.iso(bytes, from, to) : pattern.read(new String(bytes, from, to - from, StandardCharsets.UTF_8));
        }
        if (format.equals("epoch_s")) {
            Double seconds = Numbers.finite(json.bytes, json.from, json.to);
            return seconds == null ? Times.NONE : Times.ofSeconds(seconds);
        }
        Long number = integer(json);
        if (number == null || number < 0) {
            return Times.NONE;
        }
        switch (format) {
            case "epoch_ms": return number < Times.END_US / 1000 ? number * 1000 : Times.NONE;
            case "epoch_us": return number;
            default: return number / 1000;
        }
    }

    Fault missing() {
        return new Fault("missing", name, "expected " + expected() + ", got no such field" + hint("that"));
    }

    private String hint(String what) {
        return isTime ? " (it is the source's `time`: every event must have it)" : " (`" + name + ": optional …` would allow " + what + ")";
    }

    private Fault wrong(Json json, int begin, boolean close) {
        String got = shown(json.bytes, begin, json.at);
        String hint = got.equals("null") && !optional ? hint("it") : "";
        return new Fault(kind.equals("timestamp") ? "bad_time" : "wrong_type", name, "expected " + expected() + ", got " + got + hint, close);
    }

    private String expected() {
        switch (kind) {
            case "string": return "a string";
            case "integer": return "an integer from -2^63 to 2^63 - 1";
            case "number": return "a number (64-bit floating point)";
            case "boolean": return "true or false";
            case "json": return "JSON";
            case "decimal": return "a number of at most " + (precision - scale) + " digits before the point and " + scale + " after it";
            default: return "a time from 1970 to 2199, " + expectedTime();
        }
    }

    private String expectedTime() {
        if (format == null) {
            return "in ISO 8601 with a zone, such as 2026-03-01T12:00:00Z";
        }
        return pattern != null ? "like " + format : "as " + format + ", a number";
    }

    /** A part of a record as a reason shows it: on one line, of a bounded length. */
    static String shown(byte[] bytes, int from, int to) {
        String text = new String(Arrays.copyOfRange(bytes, from, Math.min(to, from + 4 * SHOWN)), StandardCharsets.UTF_8);
        StringBuilder found = new StringBuilder();
        int count = 0;
        for (int index = 0; index < text.length() && count < SHOWN; count++) {
            int point = text.codePointAt(index);
            index += Character.charCount(point);
            found.append(Character.isISOControl(point) ? String.format("\\x%02x", point) : new String(Character.toChars(point)));
        }
        return text.codePointCount(0, text.length()) > SHOWN ? found + "…" : found.toString();
    }
}
