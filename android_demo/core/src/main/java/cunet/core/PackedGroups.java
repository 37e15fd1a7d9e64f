package cunet.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Scales and biases of a packed model's convolutions; docs/packed-format.md, 3. All arithmetic is in doubles. */
final class PackedGroups {
    static final int SCALE_LOW = 8;
    static final int SCALE_HIGH = 9;
    static final int BIAS_LOW = 10;
    static final int BIAS_HIGH = 11;
    private static final int GROUPS = 2;
    private static final int RECORD = 12;

    private final byte[][] sections;
    private final ByteBuffer records;
    /** Number of the first scale of each group, and of all scales. */
    private final int[] firsts;
    private int current;
    private int biases;

    PackedGroups(byte[][] sections) {
        this.sections = sections;
        records = ByteBuffer.wrap(sections[GROUPS]).order(ByteOrder.LITTLE_ENDIAN);
        int count = sections[GROUPS].length / RECORD;
        if (sections[GROUPS].length % RECORD != 0 || sections[SCALE_LOW].length != sections[SCALE_HIGH].length
                || sections[BIAS_LOW].length != sections[BIAS_HIGH].length) {
            throw PackedModel.damaged("its groups, scales or biases are cut off");
        }
        firsts = new int[count + 1];
        for (int i = 0; i < count; i++) {
            long filters = records.getInt(RECORD * i) & 0xFFFFFFFFL;
            double step = records.getDouble(RECORD * i + 4);
            if (filters < 1 || filters > sections[SCALE_LOW].length - firsts[i] || !(step > 0)
                    || Double.isInfinite(step)) {
                throw PackedModel.damaged("group " + i + " has " + filters + " filters and the step " + step);
            }
            firsts[i + 1] = firsts[i] + (int) filters;
        }
        if (firsts[count] != sections[SCALE_LOW].length) {
            throw PackedModel.damaged("it has " + sections[SCALE_LOW].length + " scales for " + firsts[count]
                    + " filters");
        }
    }

    /** Go on to another group. */
    void move(long step) {
        long next = current + step;
        if (next < 0 || next >= firsts.length - 1) {
            throw PackedModel.damaged("its program names a group " + next + " of " + (firsts.length - 1));
        }
        current = (int) next;
    }

    /** Number of filters in the current group. */
    int filters() {
        return firsts[current + 1] - firsts[current];
    }

    int biasesRead() {
        return biases;
    }

    /** Kernel scale of filter {@code i}. */
    float scale(int i) {
        return rounded(peak(i) / 127.0);
    }

    /** Bias scale of filter {@code i}. */
    float biasScale(int i) {
        return rounded(step(i));
    }

    /** The next bias, in steps of filter {@code i}. */
    int bias(int i) {
        if (biases >= sections[BIAS_LOW].length) {
            throw PackedModel.damaged("section bias_low is too short");
        }
        int bits = half(BIAS_LOW, BIAS_HIGH, biases++);
        double size = (bits >> 10 & 31) == 31 ? bits & 1023 : Math.floor(magnitude(bits) / step(i) + 0.5);
        if (!(size <= Integer.MAX_VALUE)) {
            throw PackedModel.damaged("a bias of " + size + " steps");
        }
        return bits >> 15 == 1 ? -(int) size : (int) size;
    }

    private double step(int i) {
        return records.getDouble(RECORD * current + 4) * (peak(i) / 127.0);
    }

    /** Largest weight of filter {@code i}. */
    private double peak(int i) {
        int bits = half(SCALE_LOW, SCALE_HIGH, firsts[current] + i);
        double value = magnitude(bits);
        if (bits >> 10 >= 31 || !(value > 0)) {  // a sign, no number, or 0
            throw PackedModel.damaged("a scale that is no number above 0");
        }
        return value;
    }

    private int half(int low, int high, int index) {
        return sections[low][index] & 0xFF | (sections[high][index] & 0xFF) << 8;
    }

    /** The size of a 16-bit float. */
    private static double magnitude(int bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        return exponent == 0 ? Math.scalb((double) fraction, -24) : Math.scalb(1024.0 + fraction, exponent - 25);
    }

    private static float rounded(double value) {
        float single = (float) value;
        if (!(single > 0) || Float.isInfinite(single)) {
            throw PackedModel.damaged("a scale of " + value);
        }
        return single;
    }
}
