package livekpi.flink;

/** What is wrong with a record; the parts of a dead letter. */
final class Fault extends RuntimeException {
    static final String NOT_JSON = "not_json";

    final String code;
    final String field;
    /** Whether it takes a close look at the value to see it. */
    final boolean close;

    Fault(String code, String field, String reason) {
        this(code, field, reason, false);
    }

    Fault(String code, String field, String reason, boolean close) {
        super(reason, null, false, false); // without a stack, so that a bad record costs little
        this.code = code;
        this.field = field;
        this.close = close;
    }
}
