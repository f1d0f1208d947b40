package livekpi.flink;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** The shortest text that means a double. */
final class Doubles {
    private Doubles() {}

    /** Its digits; before Java 19, Double.toString has at times one too many. */
    private static BigDecimal shortest(double number) {
        BigDecimal exact = new BigDecimal(Math.abs(number));
        boolean few = Math.abs(number) < Double.MIN_NORMAL;
        for (int digits = few ? 1 : 15; digits < 17; digits++) {
            BigDecimal found = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (found.doubleValue() == Math.abs(number)) {
                return found.stripTrailingZeros();
            }
        }
        return exact.round(new MathContext(17, RoundingMode.HALF_EVEN)).stripTrailingZeros();
    }

    /** As SQL writes it: 1e+16, 1e-05, 0.0001, 100.0. */
    static String text(double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return Double.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
        }
        return written(number, -4, "%se%+03d");
    }

    /** As it is written in JSON: 10000000000000000.0, 1e21, 1e-7. */
    static String json(double number) {
        return written(number, -6, "%se%d");
    }

    private static String written(double number, int least, String form) {
        String sign = Double.doubleToRawLongBits(number) < 0 ? "-" : "";
        if (number == 0) {
            return sign + "0.0";
        }
        BigDecimal found = shortest(number);
        String digits = found.unscaledValue().toString();
        int exponent = digits.length() - found.scale() - 1;
        int most = least == -4 ? 16 : 21;
        if (exponent < least || exponent >= most) {
            String point = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
            return sign + String.format(java.util.Locale.ROOT, form, point, exponent);
        }
        String plain = found.toPlainString();
        return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
    }
}
