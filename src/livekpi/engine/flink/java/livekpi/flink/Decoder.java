package livekpi.flink;

import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;

/**
 * Reads a record once into a row: a column for each declared field that is asked for, and, where they are, `_time` in µs; for a
 * record that is no event, what is wrong with it. Every declared field is checked, as the embedded engine does.
 */
final class Decoder {
    static final int MAX_RECORD_BYTES = 1 << 20;
    private static final int KEPT_BYTES = 64 << 10;
    /** As how many bytes of JSON a dead letter's record is written at most: the rest of the letter has room in what Kafka's producer sends. */
    private static final int WRITTEN_BYTES = 900_000;
    /** What stands in a row beside the fields. */
    static final String TIME = "_time", CODE = "_code", FIELD = "_field", REASON = "_reason", TEXT = "_record", BASE64 = "_record_base64";

    private final Field[] fields;
    private final int[] columns; // each field's place in the row, -1 where none asks for it
    private final List<String> row;
    private final int time, timeColumn;
    private final long aheadUs;
    private final Json json = new Json();
    private final boolean[] seen;
    private final Fault[] faults;
    private boolean keysAreText; // a key that is none is the record's mistake only where there is another

    /** `declared` has a line for each field, as Field reads it; `row` names the columns. */
    Decoder(String declared, List<String> row, String timeField, long aheadUs) {
        this.row = row;
        this.aheadUs = aheadUs;
        fields = Arrays.stream(declared.split("\n")).map(line -> new Field(line, timeField)).toArray(Field[]::new);
        columns = Arrays.stream(fields).mapToInt(field -> row.indexOf(field.name)).toArray();
        time = Arrays.asList(Arrays.stream(fields).map(field -> field.name).toArray()).indexOf(timeField);
        timeColumn = row.indexOf(TIME);
        seen = new boolean[fields.length];
        faults = new Fault[fields.length];
    }

    RowData decode(byte[] record) {
        GenericRowData found = new GenericRowData(row.size());
        Fault fault;
        try {
            fault = read(record, found);
        } catch (Fault unreadable) {
            fault = unreadable;
        }
        return fault == null ? found : dead(record, fault);
    }

    /** Fills the row; returns what is wrong, of several mistakes the one that the embedded engine names. */
    private Fault read(byte[] record, GenericRowData found) {
        if (record == null) {
            return new Fault("no_value", null, "the record has no value (a Kafka tombstone)");
        }
        if (record.length > MAX_RECORD_BYTES) {
            return new Fault("too_large", null, "larger than " + MAX_RECORD_BYTES + " bytes");
        }
        json.open(record, 0, record.length);
        if (json.peek() != '{') {
            json.skip();
            return new Fault(Fault.NOT_JSON, null, "expected a JSON object, got " + Field.shown(record, 0, record.length));
        }
        Arrays.fill(seen, false);
        keysAreText = true;
        boolean wrong = false, earlier = false;
        long timeUs = 0;
        int next = 0;
        json.at++;
        if (json.peek() == '}') {
            json.at++;
        } else {
            do {
                int place = place(next);
                json.expect(':');
                if (place < 0) {
                    json.skip();
                } else {
                    next = place + 1;
                    Object value = fields[place].read(json);
                    earlier |= seen[place] && faults[place] != null && !faults[place].close;
                    seen[place] = true;
                    faults[place] = value instanceof Fault ? (Fault) value : null;
                    wrong |= faults[place] != null;
                    if (faults[place] == null) {
                        if (columns[place] >= 0) {
                            found.setField(columns[place], value);
                        }
                        if (place == time && value != null) {
                            timeUs = Field.timeUs((TimestampData) value);
                        }
                    }
                }
            } while (more());
        }
        if (json.peek() != 0 || json.at < json.end) {
            throw json.wrong("expected nothing behind the object");
        }
        for (int place = 0; place < fields.length && !wrong; place++) {
            wrong = !seen[place] && !fields[place].optional;
        }
        Fault fault = wrong ? first() : null;
        if (earlier && (fault == null || fault.close)) {
            fault = new Fault("invalid", null, "the first of two values under one key is of the wrong type");
        }
        if (fault != null && !fault.close && !keysAreText) {
            return new Fault(Fault.NOT_JSON, null, "a key that is not UTF-8");
        }
        if ((fault == null || fault.close) && timeUs > System.currentTimeMillis() * 1000 + aheadUs) {
            Instant meant = Instant.ofEpochSecond(timeUs / 1_000_000, timeUs % 1_000_000 * 1000);
            fault = new Fault("ahead", fields[time].name, meant + " is more than `ahead` after its arrival at " + Instant.now());
        }
        if (timeColumn >= 0) {
            found.setField(timeColumn, timeUs);
        }
        return fault;
    }

    private boolean more() {
        int next = json.peek();
        if (next != ',' && next != '}') {
            throw json.wrong("expected `,` or `}`");
        }
        json.at++;
        return next == ',';
    }

    /** Passes a key; returns which field it names, or -1. Fields are likely to come in the order they are declared in. */
    private int place(int likely) {
        json.string();
        byte[] bytes = json.bytes;
        int from = json.from, to = json.to;
        keysAreText &= !json.wide || Json.isUtf8(bytes, from, to);
        if (json.escaped) {
            bytes = json.unescaped();
            from = 0;
            to = bytes.length;
        }
        for (int step = 0; step < fields.length; step++) {
            int place = likely + step < fields.length ? likely + step : likely + step - fields.length;
            byte[] key = fields[place].key;
            if (key.length == to - from && Arrays.equals(key, 0, key.length, bytes, from, to)) {
                return place;
            }
        }
        return -1;
    }

    /** The first mistake in the order of the fields; those that take a close look go last. */
    private Fault first() {
        Fault later = null;
        for (int place = 0; place < fields.length; place++) {
            Fault fault = !seen[place] ? fields[place].optional ? null : fields[place].missing() : faults[place];
            if (fault != null && fault.close) {
                later = later == null ? fault : later;
            } else if (fault != null) {
                return fault;
            }
        }
        return later;
    }

    private RowData dead(byte[] record, Fault fault) {
        GenericRowData found = new GenericRowData(row.size());
        byte[] whole = record == null ? new byte[0] : fault.code.equals("too_large") ? Arrays.copyOf(record, KEPT_BYTES) : record;
        boolean text = Json.isUtf8(whole, 0, whole.length);
        byte[] kept = Arrays.copyOf(whole, fitting(whole, text));
        String cut = kept.length == whole.length ? "" : "; of its " + whole.length + " bytes only the first " + kept.length + " are kept";
        put(found, CODE, StringData.fromString(fault.code));
        put(found, FIELD, StringData.fromString(fault.field));
        put(found, REASON, StringData.fromString(reason(record, fault) + cut));
        put(found, TEXT, text ? StringData.fromBytes(kept) : null);
        put(found, BASE64, text ? null : StringData.fromString(Base64.getEncoder().encodeToString(kept)));
        return found;
    }

    /** How many bytes of a record's beginning are written as no more than WRITTEN_BYTES: of a text as a JSON string, else as base64. */
    private static int fitting(byte[] record, boolean text) {
        if (!text) {
            return Math.min(record.length, WRITTEN_BYTES / 4 * 3);
        }
        int end = 0;
        for (int written = 0; end < record.length; end++) {
            written += written(record[end]);
            if (written > WRITTEN_BYTES) {
                break;
            }
        }
        while (end < record.length && (record[end] & 0xc0) == 0x80) { // never a part of a character
            end--;
        }
        return end;
    }

    /** What a byte of UTF-8 takes in a JSON string. */
    private static int written(byte each) {
        if (each >= 0) {
            return "\"\\\b\f\n\r\t".indexOf(each) >= 0 ? 2 : each < ' ' ? 6 : 1;
        }
        return (each & 0xf8) == 0xf0 ? 9 : 1; // with the three behind it two escapes, as Flink writes a surrogate pair
    }

    private void put(GenericRowData found, String column, Object value) {
        int place = row.indexOf(column);
        if (place >= 0) {
            found.setField(place, value);
        }
    }

    private static String reason(byte[] record, Fault fault) {
        if (!fault.code.equals(Fault.NOT_JSON)) {
            return fault.getMessage();
        }
        String shown = Field.shown(record, 0, record.length);
        return shown.isBlank() ? "expected a JSON object, got an empty record" : fault.getMessage() + ": " + shown;
    }
}
