package livekpi.flink;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.ArgumentCount;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.ConstantArgumentCount;
import org.apache.flink.table.types.inference.InputTypeStrategy;
import org.apache.flink.table.types.inference.Signature;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * All partials of a group at once, as texts: {@code livekpi_cells('sum_a8bad53f1324 last_9ec1a8c2fcc3', amount, stamp)}.
 *
 * <p>A group's state knows each of its values by the partial's name. So a savepoint's state is right for a job that has others beside
 * them: what it has no longer goes, what is new begins with nothing.
 */
public final class Cells extends AggregateFunction<ArrayData, Cells.State> {
    private static final long serialVersionUID = 1;

    private transient StringData said; // one instance serves one call
    private transient long[] names;

    /** What is known of a group; `values` has a value a name, null where there was none yet. */
    public static final class State {
        static final long[] NO_NAMES = {};
        static final Value[] NO_VALUES = {};

        long[] names = NO_NAMES;
        Value[] values = NO_VALUES;

        /** Has the values of these names, in their order, and no others. */
        void align(long[] wanted) {
            if (names == wanted) {
                return;
            }
            if (!Arrays.equals(names, wanted)) {
                Value[] found = new Value[wanted.length];
                for (int at = 0; at < wanted.length; at++) {
                    for (int old = 0; old < names.length; old++) {
                        if (names[old] == wanted[at]) {
                            found[at] = values[old];
                        }
                    }
                }
                values = found;
            }
            names = wanted;
        }

        State copy() {
            State made = new State();
            made.names = names;
            made.values = new Value[values.length];
            for (int at = 0; at < values.length; at++) {
                made.values[at] = values[at] == null ? null : values[at].copy();
            }
            return made;
        }
    }

    @Override
    public State createAccumulator() {
        return new State();
    }

    /** An event's value of each partial, in the order of their names; null where it has none. */
    public void accumulate(State state, StringData partials, Object... given) {
        if (partials != said) {
            names = Names.of(partials.toString());
            said = partials;
        }
        state.align(names);
        Value[] values = state.values;
        for (int at = 0; at < values.length; at++) {
            Object value = given[at];
            if (value != null) {
                if (values[at] == null) {
                    values[at] = Names.begin(names[at], value);
                }
                values[at].add(value);
            }
        }
    }

    public void merge(State state, Iterable<State> others) {
        for (State other : others) {
            state.align(other.names);
            for (int at = 0; at < other.values.length; at++) {
                Value more = other.values[at];
                if (more != null && state.values[at] == null) {
                    state.values[at] = more.copy();
                } else if (more != null) {
                    state.values[at].merge(more);
                }
            }
        }
    }

    /** Flink asks for it where repeats are dropped, though of an id the first event stays. */
    public void retract(State state, StringData partials, Object... given) {
        throw new IllegalStateException("no event is ever taken back");
    }

    @Override
    public ArrayData getValue(State state) {
        Object[] texts = new Object[state.names.length];
        for (int at = 0; at < texts.length; at++) {
            Value value = state.values[at];
            texts[at] = value != null ? value.text() : Names.counts(state.names[at]) ? StringData.fromString("0") : null;
        }
        return new GenericArrayData(texts);
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        DataType state = DataTypes.RAW(State.class, StateSerializer.INSTANCE);
        return TypeInference.newBuilder()
                .inputTypeStrategy(new AsTheyAre())
                .accumulatorTypeStrategy(TypeStrategies.explicit(state))
                .outputTypeStrategy(TypeStrategies.explicit(DataTypes.ARRAY(DataTypes.STRING()).bridgedTo(ArrayData.class)))
                .build();
    }

    /** Arguments come as Flink holds them: nothing is converted an event. */
    private static final class AsTheyAre implements InputTypeStrategy {
        @Override
        public ArgumentCount getArgumentCount() {
            return ConstantArgumentCount.from(1);
        }

        @Override
        public Optional<List<DataType>> inferInputTypes(CallContext call, boolean throwOnFailure) {
            List<DataType> found = new ArrayList<>();
            for (DataType each : call.getArgumentDataTypes()) {
                found.add(each.bridgedTo(held(each.getLogicalType())));
            }
            return Optional.of(found);
        }

        private static Class<?> held(LogicalType type) {
            switch (type.getTypeRoot()) {
                case CHAR:
                case VARCHAR:
                    return StringData.class;
                case DECIMAL:
                    return DecimalData.class;
                case BIGINT:
                    return Long.class;
                case DOUBLE:
                    return Double.class;
                case INTEGER:
                    return Integer.class;
                case BOOLEAN:
                    return Boolean.class;
                default:
                    throw new IllegalArgumentException("no partial is of type " + type);
            }
        }

        @Override
        public List<Signature> getExpectedSignatures(FunctionDefinition definition) {
            return List.of(Signature.of(Signature.Argument.ofGroupVarying("partials and values")));
        }
    }
}
