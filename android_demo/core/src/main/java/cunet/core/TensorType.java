package cunet.core;

import java.nio.ByteBuffer;

/**
 * Shape and number type of a model's input or output, and the conversion from and to floats. An int8 value q
 * stands for {@code scale * (q - zeroPoint)}.
 */
public final class TensorType {
    private static final int MOST = 1 << 28;  // values; more is no landmark model

    /** Batch, height, width, channels. */
    public final int[] shape;
    /** Int8 values; float32 otherwise. */
    public final boolean int8;
    public final float scale;
    public final int zeroPoint;

    private TensorType(int[] shape, boolean int8, float scale, int zeroPoint) {
        boolean four = shape.length == 4 && shape[0] == 1 && shape[1] > 0 && shape[1] == shape[2] && shape[3] > 0;
        if (!four || (double) shape[1] * shape[2] * shape[3] > MOST) {
            throw new CUNetException("tensor of shape " + java.util.Arrays.toString(shape)
                    + ": a landmark model takes and gives [1, side, side, channels].");
        }
        this.shape = shape.clone();
        this.int8 = int8;
        this.scale = scale;
        this.zeroPoint = zeroPoint;
    }

    /** A float32 tensor {@code [1, side, side, channels]}. */
    public static TensorType float32(int... shape) {
        return new TensorType(shape, false, 1f, 0);
    }

    /**
     * An int8 tensor {@code [1, side, side, channels]}.
     *
     * @throws CUNetException a scale that is not above 0, or a zero point outside -128..127
     */
    public static TensorType int8(float scale, int zeroPoint, int... shape) {
        if (!(scale > 0) || Float.isInfinite(scale) || zeroPoint < -128 || zeroPoint > 127) {
            throw new CUNetException("int8 tensor with scale " + scale + " and zero point " + zeroPoint
                    + ": the file is damaged, export the model again.");
        }
        return new TensorType(shape, true, scale, zeroPoint);
    }

    /** Height and width. */
    public int side() {
        return shape[1];
    }

    public int channels() {
        return shape[3];
    }

    /** Number of values. */
    public int count() {
        return shape[1] * shape[2] * shape[3];
    }

    /** Size of a buffer that holds the tensor. */
    public int bytes() {
        return int8 ? count() : 4 * count();
    }

    /** Write values in their order from the buffer's start, rounding half to even and saturating for int8. */
    public void write(float[] values, ByteBuffer buffer) {
        for (int i = 0; i < values.length; i++) {
            if (int8) {
                double q = Math.rint(values[i] / scale) + zeroPoint;
                buffer.put(i, (byte) Math.max(-128, Math.min(127, q)));
            } else {
                buffer.putFloat(4 * i, values[i]);
            }
        }
    }

    /** Read all values from the buffer's start. */
    public float[] read(ByteBuffer buffer) {
        float[] values = new float[count()];
        for (int i = 0; i < values.length; i++) {
            values[i] = int8 ? scale * (buffer.get(i) - zeroPoint) : buffer.getFloat(4 * i);
        }
        return values;
    }
}
