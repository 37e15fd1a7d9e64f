package org.tensorflow.lite;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Stands in for TensorFlow Lite's interpreter, whose library needs Android: the network runs in a process of LiteRT for
 * Python, {@code tools/network_process.py}, so that the activities under test find real landmarks.
 */
@SuppressWarnings("unused")  // arguments of what is played
public final class Interpreter implements AutoCloseable {
    /** Networks whose interpreter was closed, by their model: a process takes long to start. */
    private static final Map<ByteBuffer, Deque<Interpreter>> IDLE = new HashMap<>();

    private final ByteBuffer model;
    private final Process process;
    private final OutputStream requests;
    private final DataInputStream answers;
    private final ToldTensor input, output;

    /** Options of the real one that the app sets. */
    public static final class Options {
        public Options setNumThreads(int count) {
            return this;
        }
    }

    public Interpreter(ByteBuffer given, Options options) {
        byte[] bytes = new byte[given.remaining()];
        given.duplicate().get(bytes);
        model = ByteBuffer.wrap(bytes);
        Interpreter idle = take(model);
        try {
            process = idle != null ? idle.process : start(bytes);
            requests = idle != null ? idle.requests : process.getOutputStream();
            answers = idle != null ? idle.answers : new DataInputStream(process.getInputStream());
            input = idle != null ? idle.input : new ToldTensor(answers.readUTF());
            output = idle != null ? idle.output : new ToldTensor(answers.readUTF());
        } catch (IOException error) {
            throw new IllegalStateException("the network's process: " + error);
        }
    }

    private static Interpreter take(ByteBuffer model) {
        synchronized (IDLE) {
            Deque<Interpreter> idle = IDLE.get(model);
            return idle == null ? null : idle.poll();
        }
    }

    /** It ends with this program, when its standard input does. */
    private static Process start(byte[] model) throws IOException {
        Path file = Files.createTempFile("network", ".tflite");
        Files.write(file, model);
        file.toFile().deleteOnExit();
        return new ProcessBuilder(System.getProperty("cunet.python"), System.getProperty("cunet.network"),
                file.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    public Tensor getInputTensor(int index) {
        return input;
    }

    public Tensor getOutputTensor(int index) {
        return output;
    }

    public void run(Object in, Object out) {
        byte[] values = new byte[input.bytes()];
        ByteBuffer given = ((ByteBuffer) in).duplicate();
        ((Buffer) given).rewind();
        given.get(values);
        try {
            requests.write(values);
            requests.flush();
            byte[] maps = new byte[output.bytes()];
            answers.readFully(maps);
            ByteBuffer taken = ((ByteBuffer) out).duplicate();
            ((Buffer) taken).rewind();
            taken.put(maps);
        } catch (IOException error) {
            throw new IllegalStateException("the network's process: " + error);
        }
    }

    @Override
    public void close() {
        synchronized (IDLE) {
            IDLE.computeIfAbsent(model, key -> new ArrayDeque<>()).add(this);
        }
    }
}
