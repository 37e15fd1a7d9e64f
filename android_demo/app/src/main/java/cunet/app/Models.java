package cunet.app;

import android.content.Context;
import cunet.core.CUNetException;
import cunet.core.Localizer;
import cunet.core.ModelSpec;
import cunet.core.PackedModel;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;

/** The packed models among the assets; each is expanded once into the cache and mapped from there. */
final class Models {
    private static final String FOLDER = "models";
    private static final String ENDING = ".cunet";

    private Models() {}

    /** Names of the models, in order; empty when the app was built without any. */
    static List<String> names(Context context) {
        List<String> names = new ArrayList<>();
        try {
            for (String file : context.getAssets().list(FOLDER)) {
                if (file.endsWith(ENDING)) {
                    names.add(file.substring(0, file.length() - ENDING.length()));
                }
            }
        } catch (IOException error) {
            return names;  // no such folder
        }
        return names;
    }

    /**
     * A localizer for a model; belongs to the calling thread.
     *
     * @throws CUNetException damaged, or the cache cannot be written
     */
    static Localizer load(Context context, String name, int threads) {
        try (InputStream asset = context.getAssets().open(FOLDER + "/" + name + ENDING)) {
            PackedModel packed = new PackedModel(readAll(asset, Integer.MAX_VALUE));
            ModelSpec spec = new ModelSpec(packed.spec());
            return new Localizer(new TfliteEngine(expanded(context, packed), threads), spec, null, false, 1);
        } catch (IOException error) {
            throw new CUNetException("model " + name + ": " + error.getMessage()
                    + ": free some storage and start again.");
        }
    }

    private static ByteBuffer expanded(Context context, PackedModel packed) throws IOException {
        File folder = new File(context.getCacheDir(), FOLDER);
        File file = new File(folder, packed.digest() + ".tflite");
        if (!sound(file, packed)) {
            if (!folder.isDirectory() && !folder.mkdirs()) {
                throw new IOException(folder + " cannot be made");
            }
            // Written beside and renamed: a stop in between leaves no half file under the final name.
            File scratch = File.createTempFile("expanding", null, folder);
            try (FileOutputStream out = new FileOutputStream(scratch)) {
                out.write(packed.expand());
            }
            if (!scratch.renameTo(file)) {
                throw new IOException(file + " cannot be written");
            }
        }
        try (FileInputStream in = new FileInputStream(file)) {
            return in.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, file.length());
        }
    }

    /** Whether the expanded file is what the packed one says, to the last bit: storage fails, too. */
    private static boolean sound(File file, PackedModel packed) throws IOException {
        if (file.length() != packed.size()) {
            return false;
        }
        try (FileInputStream in = new FileInputStream(file)) {
            return packed.matches(readAll(in, packed.size()));
        }
    }

    /**
     * All bytes of a stream.
     *
     * @throws IOException more than {@code most} of them
     */
    static byte[] readAll(InputStream in, int most) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] part = new byte[1 << 16];
        for (int count = in.read(part); count >= 0; count = in.read(part)) {
            if (count > most - out.size()) {
                throw new IOException("larger than " + most + " bytes");
            }
            out.write(part, 0, count);
        }
        return out.toByteArray();
    }
}
