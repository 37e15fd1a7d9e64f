package org.tensorflow.lite;

/** Stands in for what the app asks of TensorFlow Lite's tensors. */
public interface Tensor {
    DataType dataType();

    int[] shape();

    QuantizationParams quantizationParams();

    /** Scale and zero point of integers. */
    final class QuantizationParams {
        private final float scale;
        private final int zeroPoint;

        QuantizationParams(float scale, int zeroPoint) {
            this.scale = scale;
            this.zeroPoint = zeroPoint;
        }

        public float getScale() {
            return scale;
        }

        public int getZeroPoint() {
            return zeroPoint;
        }
    }
}
