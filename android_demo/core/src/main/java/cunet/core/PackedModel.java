package cunet.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * A packed model, {@code .cunet}: expands to the {@code .tflite} file it was made from, byte for byte. Written from
 * docs/packed-format.md. Every size is checked before anything is allocated for it.
 */
public final class PackedModel {
    static final String[] SECTIONS = {
        "spec", "program", "groups", "links", "copy0", "copy1", "copy2", "copy3",
        "scale_low", "scale_high", "bias_low", "bias_high", "bits", "trits", "raw", "levels",
    };
    private static final byte[] MARK = {'C', 'U', 'N', 'E', 'T', '\r', '\n', 0x1A};
    /** The newest layout; older ones are read too. */
    private static final int VERSION = 3;
    /** Number of sections, the first of the list, by version. */
    private static final int[] COUNTS = {0, 15, 15, 16};
    private static final int HEAD = 48;
    private static final int MIB = 1 << 20;
    private static final int MOST = 64 * MIB;
    private static final int EXTRA = 4 * MIB;
    private static final int PROGRAM = 1;

    private final byte[] file;
    private final ByteBuffer header;
    private final int size;

    /**
     * Checks the header and the checksum; expands nothing.
     *
     * @param file the whole file, kept
     * @throws CUNetException not a packed model, a newer version, or damaged
     */
    public PackedModel(byte[] file) {
        this.file = file;
        header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (!marked(file) || file.length < HEAD + 8 * COUNTS[1] + 4) {
            throw new CUNetException("not a .cunet file (no CUNET mark, or cut off): pack the model again.");
        }
        if (version() > VERSION) {
            throw new CUNetException("this .cunet file has layout version " + version()
                    + ", this program reads up to " + VERSION + ": update it.");
        }
        if (version() < 1) {
            throw damaged("its header names layout version 0");
        }
        if ((header.getShort(10) & 0xFFFF) != count()) {
            throw damaged("its header does not name " + count() + " sections");
        }
        if (file.length < start() + 4) {
            throw damaged("it ends inside its header");
        }
        long declared = header.getInt(12) & 0xFFFFFFFFL;
        if (declared < 1 || declared > MOST) {
            throw damaged("its header declares " + declared + " expanded bytes, allowed are 1 to " + MOST);
        }
        size = (int) declared;
        checkSizes();
    }

    /** Whether bytes begin as a packed model does. */
    public static boolean marked(byte[] file) {
        return file.length >= MARK.length && Arrays.equals(Arrays.copyOf(file, MARK.length), MARK);
    }

    private void checkSizes() {
        long end = start() + 4L;
        for (int i = 0; i < count(); i++) {
            end += stored(i);
        }
        if (end != file.length) {
            throw damaged("it has " + file.length + " bytes, its sections need " + end);
        }
        CRC32 sum = new CRC32();
        sum.update(file, 0, file.length - 4);
        if ((int) sum.getValue() != header.getInt(file.length - 4)) {
            throw damaged("its checksum (CRC-32) does not fit its bytes");
        }
        long total = 0;
        for (int i = 0; i < count(); i++) {
            if (stored(i) > plain(i) || plain(i) > most(i)) {
                throw damaged("section " + SECTIONS[i] + " declares " + plain(i) + " bytes in " + stored(i));
            }
            total += plain(i);
        }
        if (total > (long) size + EXTRA) {
            throw damaged("its sections declare " + total + " bytes for a file of " + size);
        }
    }

    /** Inflated bytes that a section may have. */
    private static long most(int section) {
        boolean large = section >= 4 && section < 8 || section >= 12;  // copies, bits, trits, raw, levels
        return large ? Long.MAX_VALUE : section == PROGRAM ? MIB / 4 : MIB;
    }

    private int version() {
        return header.getShort(8) & 0xFFFF;
    }

    /** Sections of this version. */
    private int count() {
        return COUNTS[version()];
    }

    /** Where the first section begins. */
    private int start() {
        return HEAD + 8 * count();
    }

    private long stored(int section) {
        return header.getInt(HEAD + 8 * section) & 0xFFFFFFFFL;
    }

    private long plain(int section) {
        return header.getInt(HEAD + 8 * section + 4) & 0xFFFFFFFFL;
    }

    /** SHA-256 of the expanded file in hexadecimal digits: a name for it in a cache. */
    public String digest() {
        StringBuilder digits = new StringBuilder();
        for (int i = 16; i < HEAD; i++) {
            digits.append(Character.forDigit(file[i] >> 4 & 15, 16)).append(Character.forDigit(file[i] & 15, 16));
        }
        return digits.toString();
    }

    /** Bytes of the expanded file. */
    public int size() {
        return size;
    }

    /** The self-description, JSON; empty when the file has none. Nothing else is expanded. */
    public String spec() {
        return new String(section(0), StandardCharsets.UTF_8);
    }

    /**
     * The bytes of the {@code .tflite} file.
     *
     * @throws CUNetException damaged, or the result has another SHA-256 than the header says
     */
    public byte[] expand() {
        byte[][] sections = new byte[count()][];
        for (int i = 0; i < sections.length; i++) {
            sections[i] = section(i);
        }
        byte[] out = new PackedProgram(sections, size, version()).run();
        if (!matches(out)) {
            throw damaged("the expanded model has another SHA-256 than the header says");
        }
        return out;
    }

    /** Whether these bytes are the expanded file, by the SHA-256 in the header. */
    public boolean matches(byte[] expanded) {
        try {
            byte[] found = MessageDigest.getInstance("SHA-256").digest(expanded);
            return Arrays.equals(found, Arrays.copyOfRange(file, 16, HEAD));
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);  // every Java has SHA-256
        }
    }

    private byte[] section(int number) {
        int start = start();
        for (int i = 0; i < number; i++) {
            start += (int) stored(i);
        }
        int stored = (int) stored(number);
        if (stored == plain(number)) {
            return Arrays.copyOfRange(file, start, start + stored);
        }
        byte[] out = new byte[(int) plain(number)];
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(file, start, stored);
            int done = 0;
            int step = 1;
            while (done < out.length && step > 0) {
                step = inflater.inflate(out, done, out.length - done);
                done += step;
            }
            // The end of a stream may need one more call; a byte more than declared is too much.
            int more = inflater.finished() ? 0 : inflater.inflate(new byte[1]);
            if (done == out.length && more == 0 && inflater.finished() && inflater.getRemaining() == 0) {
                return out;
            }
        } catch (DataFormatException error) {
            throw damaged("section " + SECTIONS[number] + " does not inflate (" + error.getMessage() + ")");
        } finally {
            inflater.end();
        }
        throw damaged("section " + SECTIONS[number] + " does not inflate to the " + out.length
                + " bytes that the header declares");
    }

    /** The error of a file that breaks a rule of the layout. */
    static CUNetException damaged(String what) {
        return new CUNetException("damaged .cunet file: " + what + ": copy the file again, or pack the model again.");
    }
}
