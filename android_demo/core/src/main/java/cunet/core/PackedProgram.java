package cunet.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The program of a packed model, which writes the expanded file from front to back; docs/packed-format.md, 2 to 4. */
final class PackedProgram {
    private static final int SPEC = 0;
    private static final int PROGRAM = 1;
    private static final int LINKS = 3;
    private static final int COPY = 4;
    private static final int BITS = 12;
    private static final int TRITS = 13;
    private static final int RAW = 14;
    private static final int LEVELS = 15;
    private static final byte PEAK = 127;
    /** The last operation of each version. */
    private static final int[] LAST = {0, 10, 11, 13};
    /** Weights of a filter of 7x7 pixels with 3 colours, and of 4x4 blocks with 12 channels. */
    private static final int ON_PIXELS = 147;
    private static final int ON_BLOCKS = 192;

    private final byte[][] sections;
    /** Place in each section. */
    private final int[] at = new int[PackedModel.SECTIONS.length];
    private final byte[] out;
    private final ByteBuffer words;
    private final PackedGroups groups;
    private final int version;
    private int p;

    /** @param sections inflated, in the order of the file */
    PackedProgram(byte[][] sections, int size, int version) {
        this.sections = sections;
        this.version = version;
        groups = new PackedGroups(sections);
        out = new byte[size];
        words = ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN);
    }

    byte[] run() {
        while (at[PROGRAM] < sections[PROGRAM].length) {
            operate((int) Math.min(number(PROGRAM), 255));
        }
        if (p != out.length) {
            throw PackedModel.damaged("its program writes " + p + " bytes of " + out.length);
        }
        for (int i = COPY; i < sections.length; i++) {
            boolean indexed = i == PackedGroups.SCALE_LOW || i == PackedGroups.SCALE_HIGH;
            int used = i == PackedGroups.BIAS_LOW || i == PackedGroups.BIAS_HIGH ? groups.biasesRead() : at[i];
            if (!indexed && used != sections[i].length) {
                throw PackedModel.damaged("section " + PackedModel.SECTIONS[i]
                        + " has bytes that the program does not use");
            }
        }
        link();
        return out;
    }

    private void operate(int operation) {
        if (operation > LAST[version]) {
            throw PackedModel.damaged("its program has an operation " + operation + ", which version " + version
                    + " has not");
        }
        switch (operation) {
            case 1: copy(room(number(PROGRAM), 1)); break;
            case 2: fill(); break;
            case 3: description(); break;
            case 4: bits(room(number(PROGRAM), 1)); break;
            case 5: trits(room(number(PROGRAM), 1)); break;
            case 6: bytes(RAW, room(number(PROGRAM), 1)); break;
            case 7: case 8: case 9: group(operation); break;
            case 10: sums(room(number(PROGRAM), 4)); break;
            case 11: blocks(room(number(PROGRAM), ON_BLOCKS)); break;
            case 12: bytes(LEVELS, room(number(PROGRAM), 1)); break;
            case 13: levelBits(number(PROGRAM)); break;
            default: throw PackedModel.damaged("its program has an operation " + operation);
        }
    }

    /** A number that a section holds as 7 bits in a byte, lowest first. */
    private long number(int section) {
        long value = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            int next = sections[section][take(section, 1)];
            value |= (next & 0x7FL) << shift;
            if (next >= 0) {
                if (value > 0xFFFFFFFFL) {
                    break;
                }
                return value;
            }
        }
        throw PackedModel.damaged("section " + PackedModel.SECTIONS[section] + " has a number above 32 bits");
    }

    /** Where the next {@code count} bytes of a section stand. */
    private int take(int section, int count) {
        int start = at[section];
        if (count > sections[section].length - start) {
            throw PackedModel.damaged("section " + PackedModel.SECTIONS[section] + " is too short");
        }
        at[section] += count;
        return start;
    }

    /** {@code count} as an int, when so many items of {@code width} bytes are left to write. */
    private int room(long count, int width) {
        if (count < 1 || count * width > out.length - p) {
            throw PackedModel.damaged("its program writes " + count + " items at byte " + p + " of " + out.length);
        }
        return (int) count;
    }

    private void copy(int count) {
        for (int end = p + count; p < end; p++) {
            int section = COPY + (p & 3);
            out[p] = sections[section][take(section, 1)];
        }
    }

    private void fill() {
        int count = room(number(PROGRAM), 1);
        long value = number(PROGRAM);
        if (value > 255) {
            throw PackedModel.damaged("its program fills with " + value);
        }
        Arrays.fill(out, p, p + count, (byte) value);
        p += count;
    }

    private void description() {
        byte[] spec = sections[SPEC];
        System.arraycopy(spec, 0, out, p, room(spec.length, 1));
        p += spec.length;
    }

    private void bits(int count) {
        int start = take(BITS, (count + 7) / 8);
        for (int i = 0; i < count; i++) {
            out[p++] = (sections[BITS][start + i / 8] >> (i & 7) & 1) == 1 ? PEAK : -PEAK;
        }
    }

    private void trits(int count) {
        int start = take(TRITS, (count + 4) / 5);
        int rest = 0;
        for (int i = 0; i < count; i++) {
            if (i % 5 == 0) {
                rest = sections[TRITS][start + i / 5] & 0xFF;
                if (rest > 242) {
                    throw PackedModel.damaged("section trits has a byte " + rest);
                }
            }
            out[p++] = (byte) (PEAK * (rest % 3 - 1));
            rest /= 3;
        }
    }

    private void bytes(int section, int count) {
        System.arraycopy(sections[section], take(section, count), out, p, count);
        p += count;
    }

    /** Whole numbers of {@code k} bits, two's complement, lowest bit first. */
    private void levelBits(long k) {
        if (k < 2 || k > 8) {
            throw PackedModel.damaged("its program has weights of " + k + " bits");
        }
        int width = (int) k;
        int count = room(number(PROGRAM), 1);
        int start = take(LEVELS, (int) ((count * k + 7) / 8));
        for (int i = 0; i < count; i++) {
            long bit = (long) i * width;
            int at = start + (int) (bit / 8);
            int pair = sections[LEVELS][at] & 0xFF;
            if (bit % 8 + width > 8) {
                pair |= (sections[LEVELS][at + 1] & 0xFF) << 8;
            }
            out[p++] = (byte) (pair >> bit % 8 << 32 - width >> 32 - width);
        }
    }

    /** Filters on pixels, written as filters on blocks of 2x2 pixels; the file's bytes are 0 until they are written. */
    private void blocks(int filters) {
        int from = take(RAW, filters * ON_PIXELS);
        for (int i = 0; i < filters * ON_PIXELS; i++) {
            int row = i % ON_PIXELS / 21 + 1;
            int column = i / 3 % 7 + 1;
            int place = 48 * (row / 2) + 12 * (column / 2) + 6 * (row % 2) + 3 * (column % 2) + i % 3;
            out[p + i / ON_PIXELS * ON_BLOCKS + place] = sections[RAW][from + i];
        }
        p += filters * ON_BLOCKS;
    }

    private void group(int operation) {
        long code = number(PROGRAM);
        groups.move((code >>> 1) ^ -(code & 1));
        int count = room(groups.filters(), 4);
        for (int i = 0; i < count; i++, p += 4) {
            if (operation == 9) {
                words.putInt(p, groups.bias(i));
            } else {
                words.putFloat(p, operation == 7 ? groups.scale(i) : groups.biasScale(i));
            }
        }
    }

    private void sums(int count) {
        if ((p & 3) != 0) {
            throw PackedModel.damaged("its program writes words at byte " + p);
        }
        int start = p;
        copy(4 * count);
        for (int q = start + 4; q < p; q += 4) {
            words.putInt(q, words.getInt(q) + words.getInt(q - 4));
        }
    }

    private void link() {
        long q = 0;
        boolean first = true;
        while (at[LINKS] < sections[LINKS].length) {
            long step = number(LINKS);
            q += 4 * step;
            if (step == 0 && !first || q + 4 > out.length) {
                throw PackedModel.damaged("section links points to byte " + q + " of " + out.length);
            }
            first = false;
            words.putInt((int) q, words.getInt((int) q) + (int) q);
        }
    }
}
