package org.tensorflow.lite;

/** A tensor: shape, type and scale, as the network's process told them. */
final class ToldTensor implements Tensor {
    private final DataType type;
    private final int[] shape;
    private final QuantizationParams params;

    /** @param told "int8 1,128,128,3 0.0039 -128" */
    ToldTensor(String told) {
        String[] words = told.split(" ");
        type = DataType.valueOf(words[0].toUpperCase(java.util.Locale.ROOT));
        String[] sides = words[1].split(",");
        shape = new int[sides.length];
        for (int i = 0; i < sides.length; i++) {
            shape[i] = Integer.parseInt(sides[i]);
        }
        params = new QuantizationParams(Float.parseFloat(words[2]), Integer.parseInt(words[3]));
    }

    @Override
    public DataType dataType() {
        return type;
    }

    @Override
    public int[] shape() {
        return shape.clone();
    }

    @Override
    public QuantizationParams quantizationParams() {
        return params;
    }

    int bytes() {
        int count = type == DataType.FLOAT32 ? 4 : 1;
        for (int side : shape) {
            count *= side;
        }
        return count;
    }
}
