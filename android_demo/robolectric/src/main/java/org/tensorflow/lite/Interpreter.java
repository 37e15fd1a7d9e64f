package org.tensorflow.lite;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Stands in for TensorFlow Lite's interpreter, whose library needs Android: the network runs in a process of LiteRT for
 * Python, {@code tools/network_process.py}, so that the activities under test find real landmarks.
 */
@SuppressWarnings("unused")  // arguments of what is played
public final class Interpreter implements AutoCloseable {
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

    public Interpreter(ByteBuffer model, Options options) {
        try {
            byte[] bytes = new byte[model.remaining()];
            model.duplicate().get(bytes);
            Path file = Files.createTempFile("network", ".tflite");
            Files.write(file, bytes);
            process = new ProcessBuilder(System.getProperty("cunet.python"), System.getProperty("cunet.network"),
                    file.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            requests = process.getOutputStream();
            answers = new DataInputStream(process.getInputStream());
            input = new ToldTensor(answers.readUTF());
            output = new ToldTensor(answers.readUTF());
            Files.delete(file);
        } catch (IOException error) {
            throw new IllegalStateException("the network's process: " + error);
        }
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
        process.destroy();
    }
}
