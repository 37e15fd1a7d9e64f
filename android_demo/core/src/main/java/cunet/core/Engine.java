package cunet.core;

import java.nio.ByteBuffer;

/** Runs a network. An engine belongs to one thread at a time. */
public interface Engine extends AutoCloseable {
    /** The one input, {@code [1, side, side, 3]}, RGB. */
    TensorType input();

    /** The one output, {@code [1, side / 4, side / 4, C]}, heat maps. */
    TensorType output();

    /**
     * One run.
     *
     * @param in direct, native byte order, filled from its start
     * @param out direct, native byte order, to be filled from its start
     * @throws CUNetException the runtime reports a failure
     */
    void run(ByteBuffer in, ByteBuffer out);

    /** Frees what the runtime holds. */
    @Override
    void close();
}
