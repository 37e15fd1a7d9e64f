package cunet.desktop;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import cunet.core.CUNetException;
import cunet.core.Engine;
import cunet.core.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Runs a {@code .tflite} model on the CPU of this machine, for development without a phone. */
final class LiteRtEngine implements Engine {
    private static final int CPU = 1;
    private static final int ALIGNMENT = 64;  // of host memory, and of the model
    private static final int TYPE_BYTES = 72;  // LiteRtRankedTensorType
    private static final int FLOAT32 = 1;
    private static final int INT8 = 9;
    private static final int PER_TENSOR = 1;

    private final Arena arena = Arena.ofShared();
    private final LiteRt lite;
    private final MemorySegment environment, model, options, compiled;
    private final Slot in, out;

    /** One input or output: its type, its memory, and LiteRT's handle for it. */
    private record Slot(TensorType type, MemorySegment memory, MemorySegment list) {}

    /**
     * @param library {@code libLiteRt.so}
     * @param tflite bytes of the model
     * @throws CUNetException the library or the model cannot be used
     */
    LiteRtEngine(Path library, byte[] tflite) {
        lite = new LiteRt(library, arena);
        MemorySegment bytes = arena.allocate(tflite.length, ALIGNMENT);
        MemorySegment.copy(tflite, 0, bytes, JAVA_BYTE, 0, tflite.length);
        environment = made("LiteRtCreateEnvironment", 0, MemorySegment.NULL);
        model = made("LiteRtCreateModelFromBuffer", environment, bytes, (long) tflite.length);
        options = made("LiteRtCreateOptions");
        lite.call("LiteRtSetOptionsHardwareAccelerators", options, CPU);
        compiled = made("LiteRtCreateCompiledModel", environment, model, options);
        MemorySegment signature = made("LiteRtGetModelSignature", model, 0L);
        in = slot("LiteRtGetSignatureInputTensorByIndex", signature);
        out = slot("LiteRtGetSignatureOutputTensorByIndex", signature);
    }

    /** Calls a function whose last argument is where it puts a handle. */
    private MemorySegment made(String function, Object... arguments) {
        MemorySegment place = arena.allocate(ADDRESS);
        Object[] all = java.util.Arrays.copyOf(arguments, arguments.length + 1);
        all[arguments.length] = place;
        lite.call(function, all);
        return place.get(ADDRESS, 0);
    }

    private Slot slot(String function, MemorySegment signature) {
        MemorySegment tensor = made(function, signature, 0L);
        MemorySegment ranked = arena.allocate(TYPE_BYTES, ADDRESS.byteAlignment());
        lite.call("LiteRtGetRankedTensorType", tensor, ranked);
        TensorType type = type(tensor, ranked);
        MemorySegment memory = arena.allocate(type.bytes(), ALIGNMENT);
        MemorySegment buffer = made("LiteRtCreateTensorBufferFromHostMemory", ranked, memory, (long) type.bytes(),
                MemorySegment.NULL);
        MemorySegment list = arena.allocate(ADDRESS);
        list.set(ADDRESS, 0, buffer);
        return new Slot(type, memory, list);
    }

    /** The struct holds the element type, a word whose low seven bits are the rank, and the sides. */
    private TensorType type(MemorySegment tensor, MemorySegment ranked) {
        int[] shape = new int[Math.min(8, ranked.getAtIndex(JAVA_INT, 1) & 0x7F)];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = ranked.getAtIndex(JAVA_INT, 2 + i);
        }
        int element = ranked.getAtIndex(JAVA_INT, 0);
        if (element == FLOAT32) {
            return TensorType.float32(shape);
        }
        MemorySegment scheme = arena.allocate(JAVA_INT);
        lite.call("LiteRtGetQuantizationTypeId", tensor, scheme);
        if (element != INT8 || scheme.get(JAVA_INT, 0) != PER_TENSOR) {
            throw new CUNetException("the model has tensors of type " + element
                    + ": this program runs float32 and int8.");
        }
        MemorySegment quantization = arena.allocate(2 * JAVA_LONG.byteSize(), JAVA_LONG.byteAlignment());
        lite.call("LiteRtGetPerTensorQuantization", tensor, quantization);
        return TensorType.int8(quantization.get(JAVA_FLOAT, 0), (int) quantization.get(JAVA_LONG, 8), shape);
    }

    @Override
    public TensorType input() {
        return in.type;
    }

    @Override
    public TensorType output() {
        return out.type;
    }

    @Override
    public void run(ByteBuffer input, ByteBuffer output) {
        in.memory.copyFrom(MemorySegment.ofBuffer(input));
        lite.call("LiteRtRunCompiledModel", compiled, 0L, 1L, in.list, 1L, out.list);
        MemorySegment.ofBuffer(output).copyFrom(out.memory);
    }

    @Override
    public void close() {
        lite.release("LiteRtDestroyTensorBuffer", in.list.get(ADDRESS, 0));
        lite.release("LiteRtDestroyTensorBuffer", out.list.get(ADDRESS, 0));
        lite.release("LiteRtDestroyCompiledModel", compiled);
        lite.release("LiteRtDestroyOptions", options);
        lite.release("LiteRtDestroyModel", model);
        lite.release("LiteRtDestroyEnvironment", environment);
        arena.close();
    }
}
