package livekpi.flink;

import java.util.List;
import java.util.Set;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** The format {@code livekpi}: JSON records, strictly read, of which the wrong ones come too, and say what is wrong with them. */
public final class Format implements DeserializationFormatFactory {
    private static final ConfigOption<String> FIELDS = ConfigOptions.key("fields").stringType().noDefaultValue();
    private static final ConfigOption<String> TIME = ConfigOptions.key("time").stringType().noDefaultValue();
    private static final ConfigOption<Long> AHEAD = ConfigOptions.key("ahead-us").longType().noDefaultValue();

    @Override
    public String factoryIdentifier() {
        return "livekpi";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(FIELDS, TIME, AHEAD);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(DynamicTableFactory.Context context, ReadableConfig options) {
        FactoryUtil.validateFactoryOptions(this, options);
        String fields = options.get(FIELDS), time = options.get(TIME);
        long aheadUs = options.get(AHEAD);
        return new DecodingFormat<>() {
            @Override
            public DeserializationSchema<RowData> createRuntimeDecoder(DynamicTableSource.Context source, DataType row) {
                List<String> columns = ((RowType) row.getLogicalType()).getFieldNames();
                return new Schema(fields, columns.toArray(new String[0]), time, aheadUs, source.createTypeInformation(row));
            }

            @Override
            public ChangelogMode getChangelogMode() {
                return ChangelogMode.insertOnly();
            }
        };
    }

    private static final class Schema implements DeserializationSchema<RowData> {
        private static final long serialVersionUID = 1;

        private final String fields, time;
        private final String[] columns;
        private final long aheadUs;
        private final TypeInformation<RowData> type;
        private transient Decoder decoder;

        Schema(String fields, String[] columns, String time, long aheadUs, TypeInformation<RowData> type) {
            this.fields = fields;
            this.columns = columns;
            this.time = time;
            this.aheadUs = aheadUs;
            this.type = type;
        }

        @Override
        public void open(InitializationContext context) {
            decoder = new Decoder(fields, List.of(columns), time, aheadUs);
        }

        @Override
        public RowData deserialize(byte[] record) {
            return decoder.decode(record);
        }

        @Override
        public boolean isEndOfStream(RowData row) {
            return false;
        }

        @Override
        public TypeInformation<RowData> getProducedType() {
            return type;
        }
    }
}
