package livekpi.flink;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times as they are written in events, in µs since the epoch; they must lie from 1970 to 2199. */
final class Times {
    static final long NONE = Long.MIN_VALUE;
    static final long END_US = 7_258_118_400_000_000L;
    private static final long SECOND_US = 1_000_000;
    private static final int DAY_S = 86_400;

    private Times() {}

    /** ISO 8601, the extended form with a zone; NONE where the text is none. */
    static long iso(byte[] text, int from, int to) {
        if (to - from < 14 || text[from + 4] != '-' || text[from + 7] != '-') {
            return NONE;
        }
        int divider = text[from + 10];
        if (divider != 'T' && divider != 't' && divider != ' ') {
            return NONE;
        }
        int century = two(text, from), year = two(text, from + 2);
        int month = two(text, from + 5), day = two(text, from + 8), hour = two(text, from + 11);
        int minute = 0, second = 0, micro = 0, at = from + 13;
        if (text[at] == ':') {
            minute = at + 2 < to ? two(text, at + 1) : -1;
            at += 3;
            if (at < to && text[at] == ':') {
                second = at + 2 < to ? two(text, at + 1) : -1;
                at += 3;
                if (at < to && (text[at] == '.' || text[at] == ',')) {
                    int begin = ++at;
                    for (; at < to && text[at] >= '0' && text[at] <= '9'; at++) {
                        micro = at - begin < 6 ? micro * 10 + text[at] - '0' : micro;
                    }
                    if (at == begin) {
                        return NONE;
                    }
                    for (int digits = at - begin; digits < 6; digits++) {
                        micro *= 10;
                    }
                }
            }
        }
        int offset = offset(text, at, to);
        if (century < 0 || year < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || offset == Integer.MIN_VALUE) {
            return NONE;
        }
        long days = days(century * 100 + year, month, day);
        return days == NONE ? NONE : ((days * 24 + hour) * 60 + minute - offset) * 60 * SECOND_US + second * SECOND_US + micro;
    }

    /** The minutes that a zone is ahead of UTC. */
    private static int offset(byte[] text, int at, int to) {
        if (to - at == 1 && (text[at] == 'Z' || text[at] == 'z')) {
            return 0;
        }
        int left = to - at;
        if (left != 3 && left != 5 && left != 6 || text[at] != '+' && text[at] != '-' || left == 6 && text[at + 3] != ':') {
            return Integer.MIN_VALUE;
        }
        int hours = two(text, at + 1), minutes = left == 3 ? 0 : two(text, to - 2);
        if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
            return Integer.MIN_VALUE;
        }
        return (text[at] == '-' ? -1 : 1) * (hours * 60 + minutes);
    }

    private static int two(byte[] text, int at) {
        int tens = text[at] - '0', ones = text[at + 1] - '0';
        return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
    }

    /** Days since the epoch (Howard Hinnant, "chrono-compatible low-level date algorithms"); NONE where there is no such day. */
    private static long days(int year, int month, int day) {
        if (month < 1 || month > 12 || day < 1 || year < 1) {
            return NONE;
        }
        boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        if (day > (month == 2 ? leap ? 29 : 28 : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31)) {
            return NONE;
        }
        int shifted = month <= 2 ? year - 1 : year;
        int era = shifted / 400, ofEra = shifted - era * 400;
        int ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        return era * 146097L + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719468;
    }

    static boolean within(long timeUs) {
        return timeUs >= 0 && timeUs < END_US;
    }

    /** Seconds with a fraction; -1 where they are outside. */
    static long ofSeconds(double seconds) {
        double micros = Math.rint(seconds * SECOND_US);
        return micros >= 0 && micros < END_US ? (long) micros : -1;
    }

    /** A strptime pattern, read as Python does in the C locale. */
    static final class Format {
        private static final String[] MONTHS = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
        private static final String LONG_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december";
        private static final String DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday";

        /** What Python takes for white space. */
        private static final String SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

        private final Pattern pattern;
        private final String parts;

        Format(String format) {
            StringBuilder expression = new StringBuilder();
            StringBuilder found = new StringBuilder();
            for (int index = 0; index < format.length(); index++) {
                char next = format.charAt(index);
                if (next == '%') {
                    next = format.charAt(++index);
                    String part = part(next);
                    if (part != null) {
                        expression.append("(?<").append(next).append(">(?-u:").append(part.replace("\\d", "\\p{Nd}")).append("))");
                        found.append(next);
                    } else {
                        expression.append('%');
                    }
                } else if (isSpace(next)) {
                    while (index + 1 < format.length() && isSpace(format.charAt(index + 1))) {
                        index++;
                    }
                    expression.append(SPACE).append('+');
                } else if (Character.isSurrogate(next)) {
                    expression.append(next); // to quote half a character would part it from the other half
                } else {
                    expression.append(Pattern.quote(String.valueOf(next)));
                }
            }
            pattern = Pattern.compile(expression.toString(), Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
            parts = found.toString();
        }

        private static boolean isSpace(char point) {
            return String.valueOf(point).matches(SPACE);
        }

        private static String part(char name) {
            switch (name) {
                case 'Y': return "\\d\\d\\d\\d";
                case 'y': return "\\d\\d";
                case 'm': return "1[0-2]|0[1-9]|[1-9]";
                case 'd': return "3[0-1]|[1-2]\\d|0[1-9]|[1-9]| [1-9]";
                case 'H': return "2[0-3]|[0-1]\\d|\\d";
                case 'I': return "1[0-2]|0[1-9]|[1-9]";
                case 'M': return "[0-5]\\d|\\d";
                case 'S': return "6[0-1]|[0-5]\\d|\\d";
                case 'f': return "[0-9]{1,6}";
                case 'p': return "am|pm";
                case 'b': return String.join("|", MONTHS);
                case 'B': return LONG_MONTHS;
                case 'a': return "mon|tue|wed|thu|fri|sat|sun";
                case 'A': return DAYS;
                case 'z': return "[+-]\\d\\d:?[0-5]\\d(:?[0-5]\\d(\\.\\d{1,6})?)?|(?-i:Z)";
                case '%': return null;
                default: throw new IllegalArgumentException("%" + name + " in a time's pattern is not supported here");
            }
        }

        /** The time that a text means, or NONE. */
        long read(String text) {
            Matcher match = pattern.matcher(text);
            if (!match.matches()) {
                return NONE;
            }
            int month = has('m') ? number(match, "m") : 1;
            if (has('b') || has('B')) {
                String name = match.group(has('b') ? "b" : "B").toLowerCase(java.util.Locale.ROOT).substring(0, 3);
                month = java.util.Arrays.asList(MONTHS).indexOf(name) + 1;
            }
            int year = has('Y') ? number(match, "Y") : number(match, "y") + (number(match, "y") < 69 ? 2000 : 1900);
            int hour = has('H') ? number(match, "H") : 0;
            if (has('I')) {
                boolean afternoon = has('p') && match.group("p").equalsIgnoreCase("pm");
                hour = number(match, "I") % 12 + (afternoon ? 12 : 0);
            }
            int second = has('S') ? number(match, "S") : 0;
            if (second > 59) {
                return NONE;
            }
            long micro = has('f') ? Long.parseLong((match.group("f") + "00000").substring(0, 6)) : 0;
            try {
                long days = LocalDate.of(year, month, has('d') ? number(match, "d") : 1).toEpochDay();
                long seconds = (days * 24 + hour) * 3600 + (has('M') ? number(match, "M") : 0) * 60 + second;
                long ahead = has('z') ? zone(digits(match.group("z"))) : 0;
                return ahead != NONE && Math.abs(ahead) < DAY_S * SECOND_US ? seconds * SECOND_US + micro - ahead : NONE;
            } catch (DateTimeException error) {
                return NONE;
            }
        }

        private boolean has(char part) {
            return parts.indexOf(part) >= 0;
        }

        private static int number(Matcher match, String part) {
            return Integer.parseInt(digits(match.group(part)).trim());
        }

        /** A text with 0 to 9 in the place of all other scripts' digits. */
        private static String digits(String text) {
            StringBuilder found = new StringBuilder();
            text.codePoints().forEach(point -> {
                found.appendCodePoint(Character.getType(point) == Character.DECIMAL_DIGIT_NUMBER ? '0' + Character.digit(point, 10) : point);
            });
            return found.toString();
        }

        /** The µs that a zone is ahead of UTC; NONE where its colons stand between some parts only. */
        private static long zone(String text) {
            if (text.equals("Z")) {
                return 0;
            }
            boolean colon = text.charAt(3) == ':', more = text.length() > (colon ? 6 : 5);
            if (more && (text.charAt(colon ? 6 : 5) == ':') != colon) {
                return NONE;
            }
            String digits = text.substring(1).replace(":", "").replace(".", "");
            long seconds = Integer.parseInt(digits.substring(0, 2)) * 3600L + Integer.parseInt(digits.substring(2, 4)) * 60;
            seconds += more ? Integer.parseInt(digits.substring(4, 6)) : 0;
            long micro = digits.length() > 6 ? Long.parseLong((digits.substring(6) + "00000").substring(0, 6)) : 0;
            return (text.charAt(0) == '-' ? -1 : 1) * (seconds * SECOND_US + micro);
        }
    }
}
