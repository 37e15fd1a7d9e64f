package cunet.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Typed look-ups in a parsed JSON object, with errors that name the field. */
public final class Fields {
    private final String name;
    private final Map<?, ?> values;

    /**
     * @param name of the object, for messages
     * @throws CUNetException {@code value} is not an object
     */
    public Fields(String name, Object value) {
        if (!(value instanceof Map)) {
            throw new CUNetException(name + " is not a JSON object: export the model again.");
        }
        this.name = name;
        this.values = (Map<?, ?>) value;
    }

    /** A nested object. */
    public Fields object(String field) {
        return new Fields(name + "." + field, values.get(field));
    }

    /** A required text. */
    public String text(String field) {
        return want(field, String.class, "a text");
    }

    /** A text that may be missing. */
    public String text(String field, String otherwise) {
        return values.get(field) == null ? otherwise : text(field);
    }

    /** A required finite number. */
    public double number(String field) {
        double value = want(field, Double.class, "a number");
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            throw wrong(field, "a finite number");
        }
        return value;
    }

    /** A required whole number within bounds. */
    public int integer(String field, int low, int high) {
        double value = number(field);
        if (value != Math.rint(value) || value < low || value > high) {
            throw wrong(field, "a whole number from " + low + " to " + high);
        }
        return (int) value;
    }

    /** A required truth value. */
    public boolean flag(String field) {
        return want(field, Boolean.class, "true or false");
    }

    /** The numbers of a list, inner lists opened. */
    public double[] numbers(String field) {
        List<Double> flat = new ArrayList<>();
        collect(field, want(field, List.class, "a list"), flat);
        double[] numbers = new double[flat.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = flat.get(i);
        }
        return numbers;
    }

    private void collect(String field, List<?> items, List<Double> into) {
        for (Object item : items) {
            if (item instanceof List) {
                collect(field, (List<?>) item, into);
            } else if (item instanceof Double) {
                into.add((Double) item);
            } else {
                throw wrong(field, "numbers");
            }
        }
    }

    /** Whether the field is there and not null. */
    public boolean has(String field) {
        return values.get(field) != null;
    }

    /** A list, empty when missing. */
    public List<?> list(String field) {
        if (values.get(field) == null) {
            return Collections.emptyList();
        }
        return want(field, List.class, "a list");
    }

    /** A list of pairs of whole numbers from 0 to {@code limit - 1}, empty when missing. */
    public int[][] pairs(String field, int limit) {
        List<?> list = list(field);
        int[][] pairs = new int[list.size()][2];
        for (int i = 0; i < pairs.length; i++) {
            List<?> pair = list.get(i) instanceof List ? (List<?>) list.get(i) : Collections.emptyList();
            if (pair.size() != 2) {
                throw wrong(field, "pairs of numbers");
            }
            for (int k = 0; k < 2; k++) {
                Object index = pair.get(k);
                if (!(index instanceof Double) || !((Double) index >= 0) || (Double) index >= limit) {
                    throw wrong(field, "indices from 0 to " + (limit - 1));
                }
                pairs[i][k] = ((Double) index).intValue();
            }
        }
        return pairs;
    }

    private <T> T want(String field, Class<T> type, String what) {
        Object value = values.get(field);
        if (!type.isInstance(value)) {
            throw wrong(field, what);
        }
        return type.cast(value);
    }

    private CUNetException wrong(String field, String expected) {
        return new CUNetException(name + "." + field + ": expected " + expected + ": export the model again.");
    }
}
