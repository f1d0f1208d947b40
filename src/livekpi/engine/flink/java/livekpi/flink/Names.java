package livekpi.flink;

import java.util.ArrayList;
import java.util.List;

/** Names of partials, {@code sum_a8bad53f1324} and the like, as numbers: the kind's above the digits. */
final class Names {
    private static final List<String> KINDS = List.of("count", "sum", "min", "max", "last", "first");
    private static final int DIGITS = 12, KIND_AT = 4 * DIGITS;

    private Names() {}

    /** The names in a text, apart by spaces. */
    static long[] of(String text) {
        List<Long> found = new ArrayList<>();
        for (String name : text.isEmpty() ? new String[0] : text.split(" ")) {
            int at = name.indexOf('_'), kind = KINDS.indexOf(name.substring(0, Math.max(at, 0)));
            if (kind < 0 || name.length() != at + 1 + DIGITS) {
                throw new IllegalArgumentException("no name of a partial: " + name);
            }
            found.add((long) kind << KIND_AT | Long.parseLong(name.substring(at + 1), 16));
        }
        return found.stream().mapToLong(Long::longValue).toArray();
    }

    /** Whether what has seen nothing is 0; of the other kinds it is null. */
    static boolean counts(long name) {
        return kind(name).equals("count");
    }

    /** What a partial of that name is before its first value, which is `value`. */
    static Value begin(long name, Object value) {
        switch (kind(name)) {
            case "count":
                return new Value.Count();
            case "sum":
                return value instanceof Double ? new Value.Total() : new Value.Sum();
            case "max":
            case "last":
                return new Value.Extreme(1);
            default:
                return new Value.Extreme(-1);
        }
    }

    private static String kind(long name) {
        return KINDS.get((int) (name >> KIND_AT));
    }
}
