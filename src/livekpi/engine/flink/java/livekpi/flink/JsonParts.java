package livekpi.flink;

import java.nio.charset.StandardCharsets;

/** Takes one part out of JSON that has been read before, and so is known to be right. */
final class JsonParts {
    private final String[] path;
    private final Json json = new Json();

    /** Of no step at all the part is the whole. */
    JsonParts(String path) {
        this.path = path.isEmpty() ? new String[0] : path.split("\n", -1);
    }

    /** The part's text, null where there is none: a string's own, a number's, an object's or list's JSON. */
    String of(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        json.open(bytes, 0, bytes.length);
        for (String step : path) {
            boolean found = step.startsWith("\"") ? member(step.substring(1)) : element(Integer.parseInt(step));
            if (!found) {
                return null;
            }
        }
        if (json.peek() == '"') {
            json.string();
            return string();
        }
        StringBuilder out = new StringBuilder();
        value(out);
        return out.toString().equals("null") ? null : out.toString();
    }

    /** Goes to a member's value; of two with one name the first counts. */
    private boolean member(String name) {
        if (json.peek() != '{') {
            return false;
        }
        json.at++;
        while (json.peek() != '}') {
            json.string();
            boolean wanted = string().equals(name);
            json.expect(':');
            if (wanted) {
                return true;
            }
            json.skip();
            if (json.peek() == ',') {
                json.at++;
            }
        }
        return false;
    }

    private boolean element(int index) {
        if (json.peek() != '[') {
            return false;
        }
        json.at++;
        for (int left = index; json.peek() != ']'; left--) {
            if (left == 0) {
                return true;
            }
            json.skip();
            if (json.peek() == ',') {
                json.at++;
            }
        }
        return false;
    }

    private String string() {
        return json.escaped ? new String(json.unescaped(), StandardCharsets.UTF_8)
                : new String(json.bytes, json.from, json.to - json.from, StandardCharsets.UTF_8);
    }

    /** Copies a value, without white space, its numbers and strings written in one way. */
    private void value(StringBuilder out) {
        json.peek();
        int begin = json.at;
        json.skip();
        int end = json.at;
        json.at = begin;
        while (json.at < end) {
            int next = json.peek();
            if (next == '"') {
                json.string();
                quoted(out, string());
            } else if ("{}[],:".indexOf(next) >= 0) {
                out.append((char) next);
                json.at++;
            } else {
                json.plain();
                String plain = new String(json.bytes, json.from, json.to - json.from, StandardCharsets.US_ASCII);
                boolean number = next == '-' || next >= '0' && next <= '9';
                out.append(number ? number(plain) : plain);
            }
        }
    }

    private String number(String plain) {
        if (json.whole) {
            return plain.equals("-0") ? "0" : plain;
        }
        double found = Double.parseDouble(plain);
        return Double.isInfinite(found) ? plain : Doubles.json(found);
    }

    private static void quoted(StringBuilder out, String text) {
        out.append('"');
        for (int index = 0; index < text.length(); index++) {
            char next = text.charAt(index);
            int place = "\"\\\b\f\n\r\t".indexOf(next);
            if (place >= 0) {
                out.append('\\').append("\"\\bfnrt".charAt(place));
            } else if (next < ' ') {
                out.append(String.format("\\u%04X", (int) next));
            } else {
                out.append(next);
            }
        }
        out.append('"');
    }
}
