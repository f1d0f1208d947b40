package livekpi.flink;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/** A partial's value, which merges with others of its kind. */
abstract class Value {
    private static final int COUNT = 0, SUM = 1, BIG_SUM = 2, TOTAL = 3, LEAST = 4, GREATEST = 5;
    private static final int WHOLE = 0, DOUBLE = 1, DECIMAL = 2, TEXT = 3;

    /** Takes an event's value, which is never null. */
    abstract void add(Object value);

    abstract void merge(Value other);

    abstract Value copy();

    abstract StringData text();

    abstract void write(DataOutputView to) throws IOException;

    static Value read(DataInputView from) throws IOException {
        int kind = from.readByte();
        switch (kind) {
            case COUNT:
                Count count = new Count();
                count.count = from.readLong();
                return count;
            case SUM:
            case BIG_SUM:
                Sum sum = new Sum();
                sum.scale = from.readByte();
                if (kind == SUM) {
                    sum.small = from.readLong();
                } else {
                    sum.big = new BigInteger(bytes(from));
                }
                return sum;
            case TOTAL:
                Total total = new Total();
                total.total = from.readDouble();
                return total;
            case LEAST:
            case GREATEST:
                Extreme extreme = new Extreme(kind == LEAST ? -1 : 1);
                extreme.value = one(from);
                return extreme;
            default:
                throw new IOException("no kind of value: " + kind);
        }
    }

    static final class Count extends Value {
        private long count;

        @Override
        void add(Object value) {
            count++;
        }

        @Override
        void merge(Value other) {
            count += ((Count) other).count;
        }

        @Override
        Value copy() {
            Count made = new Count();
            made.count = count;
            return made;
        }

        @Override
        StringData text() {
            return StringData.fromString(Long.toString(count));
        }

        @Override
        void write(DataOutputView to) throws IOException {
            to.writeByte(COUNT);
            to.writeLong(count);
        }
    }

    /** Of integers and decimals, exactly: a number of its last digit, which is small while it fits. */
    static final class Sum extends Value {
        private int scale;
        private long small;
        private BigInteger big;

        @Override
        void add(Object value) {
            if (value instanceof Long) {
                add((long) value);
                return;
            }
            DecimalData decimal = (DecimalData) value;
            scale = decimal.scale();
            if (decimal.isCompact()) {
                add(decimal.toUnscaledLong());
            } else {
                add(new BigInteger(decimal.toUnscaledBytes()));
            }
        }

        private void add(long more) {
            long sum = small + more;
            if (big != null || ((small ^ sum) & (more ^ sum)) < 0) {
                add(BigInteger.valueOf(more));
            } else {
                small = sum;
            }
        }

        private void add(BigInteger more) {
            big = (big == null ? BigInteger.valueOf(small) : big).add(more);
        }

        @Override
        void merge(Value other) {
            Sum more = (Sum) other;
            scale = more.scale;
            if (more.big == null) {
                add(more.small);
            } else {
                add(more.big);
            }
        }

        @Override
        Value copy() {
            Sum made = new Sum();
            made.scale = scale;
            made.small = small;
            made.big = big;
            return made;
        }

        @Override
        StringData text() {
            BigInteger number = big == null ? BigInteger.valueOf(small) : big;
            return StringData.fromString(scale == 0 ? number.toString() : new BigDecimal(number, scale).toPlainString());
        }

        @Override
        void write(DataOutputView to) throws IOException {
            to.writeByte(big == null ? SUM : BIG_SUM);
            to.writeByte(scale);
            if (big == null) {
                to.writeLong(small);
            } else {
                writeBytes(big.toByteArray(), to);
            }
        }
    }

    /** A sum of doubles. */
    static final class Total extends Value {
        private double total;

        @Override
        void add(Object value) {
            total += (double) value;
        }

        @Override
        void merge(Value other) {
            total += ((Total) other).total;
        }

        @Override
        Value copy() {
            Total made = new Total();
            made.total = total;
            return made;
        }

        @Override
        StringData text() {
            return StringData.fromString(Double.toString(total));
        }

        @Override
        void write(DataOutputView to) throws IOException {
            to.writeByte(TOTAL);
            to.writeDouble(total);
        }
    }

    /** The least (direction -1) or the greatest (1). */
    static final class Extreme extends Value {
        private final int direction;
        private Object value;

        Extreme(int direction) {
            this.direction = direction;
        }

        @Override
        void add(Object other) {
            if (value == null || compare(other, value) * direction > 0) {
                value = other instanceof BinaryStringData ? ((BinaryStringData) other).copy() : other; // its bytes may be another's soon
            }
        }

        @Override
        void merge(Value other) {
            add(((Extreme) other).value);
        }

        @Override
        Value copy() {
            Extreme made = new Extreme(direction);
            made.value = value;
            return made;
        }

        @Override
        StringData text() {
            return value instanceof StringData ? (StringData) value : StringData.fromString(value.toString());
        }

        @Override
        void write(DataOutputView to) throws IOException {
            to.writeByte(direction < 0 ? LEAST : GREATEST);
            if (value instanceof Long) {
                to.writeByte(WHOLE);
                to.writeLong((long) value);
            } else if (value instanceof Double) {
                to.writeByte(DOUBLE);
                to.writeDouble((double) value);
            } else if (value instanceof DecimalData) {
                DecimalData decimal = (DecimalData) value;
                to.writeByte(DECIMAL);
                to.writeByte(decimal.precision());
                to.writeByte(decimal.scale());
                writeBytes(decimal.toUnscaledBytes(), to);
            } else {
                to.writeByte(TEXT);
                writeBytes(((StringData) value).toBytes(), to);
            }
        }
    }

    private static Object one(DataInputView from) throws IOException {
        int type = from.readByte();
        switch (type) {
            case WHOLE:
                return from.readLong();
            case DOUBLE:
                return from.readDouble();
            case DECIMAL:
                int precision = from.readByte(), scale = from.readByte();
                return DecimalData.fromUnscaledBytes(bytes(from), precision, scale);
            case TEXT:
                return StringData.fromBytes(bytes(from));
            default:
                throw new IOException("no type of value: " + type);
        }
    }

    private static int compare(Object one, Object other) {
        if (one instanceof Long) {
            return Long.compare((long) one, (long) other);
        }
        if (one instanceof Double) {
            return (double) one < (double) other ? -1 : (double) one > (double) other ? 1 : 0;
        }
        return one instanceof DecimalData
                ? ((DecimalData) one).compareTo((DecimalData) other)
                : Arrays.compareUnsigned(((StringData) one).toBytes(), ((StringData) other).toBytes()); // Flink's own may go by UTF-16
    }

    private static void writeBytes(byte[] bytes, DataOutputView to) throws IOException {
        to.writeInt(bytes.length);
        to.write(bytes);
    }

    private static byte[] bytes(DataInputView from) throws IOException {
        byte[] found = new byte[from.readInt()];
        from.readFully(found);
        return found;
    }
}
