package livekpi.flink;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.TimestampData;

/** For tests: decodes records, a line of base64 each, and says of each what became of it, a line of base64 a column. */
public final class Judge {
    private Judge() {}

    /** Arguments: the time's field, µs ahead, the declared fields, the columns. */
    public static void main(String[] arguments) throws Exception {
        List<String> columns = List.of(arguments[3].split(","));
        Decoder decoder = new Decoder(arguments[2], columns, arguments[0], Long.parseLong(arguments[1]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        StringBuilder out = new StringBuilder();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            GenericRowData row = (GenericRowData) decoder.decode(Base64.getDecoder().decode(line));
            for (int index = 0; index < columns.size(); index++) {
                Object value = row.getField(index);
                String text = value instanceof TimestampData ? String.valueOf(Field.timeUs((TimestampData) value)) : String.valueOf(value);
                out.append(value == null ? "" : "=" + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8))).append(' ');
            }
            out.append('\n');
        }
        System.out.print(out);
    }
}
