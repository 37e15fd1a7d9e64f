package cunet.app;

import cunet.core.CUNetException;
import cunet.core.Engine;
import cunet.core.TensorType;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import org.tensorflow.lite.DataType;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/** Runs a {@code .tflite} model on the phone's CPU; the only class that touches TensorFlow Lite. */
final class TfliteEngine implements Engine {
    private final Interpreter interpreter;
    private final TensorType input, output;

    /**
     * @param model mapped or direct, kept
     * @param threads at least 1
     * @throws CUNetException the runtime cannot prepare the model
     */
    TfliteEngine(ByteBuffer model, int threads) {
        try {
            interpreter = new Interpreter(model, new Interpreter.Options().setNumThreads(threads));
        } catch (IllegalArgumentException | IllegalStateException error) {
            throw new CUNetException("TensorFlow Lite cannot prepare this model: " + error.getMessage());
        } catch (LinkageError error) {
            throw new CUNetException("this app holds TensorFlow Lite for arm64-v8a and x86_64 only, this device is "
                    + android.os.Build.CPU_ABI + ".");
        }
        input = type(interpreter.getInputTensor(0));
        output = type(interpreter.getOutputTensor(0));
    }

    private static TensorType type(Tensor tensor) {
        if (tensor.dataType() == DataType.FLOAT32) {
            return TensorType.float32(tensor.shape());
        }
        if (tensor.dataType() != DataType.INT8) {
            throw new CUNetException("the model has " + tensor.dataType()
                    + " tensors: this app runs float32 and int8.");
        }
        Tensor.QuantizationParams params = tensor.quantizationParams();
        return TensorType.int8(params.getScale(), params.getZeroPoint(), tensor.shape());
    }

    @Override
    public TensorType input() {
        return input;
    }

    @Override
    public TensorType output() {
        return output;
    }

    @Override
    public void run(ByteBuffer in, ByteBuffer out) {
        ((Buffer) in).rewind();  // ByteBuffer.rewind() itself is missing before Android 13
        ((Buffer) out).rewind();
        try {
            interpreter.run(in, out);
        } catch (IllegalArgumentException | IllegalStateException error) {
            throw new CUNetException("TensorFlow Lite failed: " + error.getMessage());
        }
    }

    @Override
    public void close() {
        interpreter.close();
    }
}
