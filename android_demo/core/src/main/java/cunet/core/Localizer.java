package cunet.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Pictures in, landmarks out: crop, network, decoder, and back to the picture's pixels. */
public final class Localizer implements AutoCloseable {
    private static final int STRIDE = 4;
    private static final int CLOSING = 3;  // looks after the one at the whole picture, each in the box of the points
    private static final double SMALLEST = 2;  // pixels; points closer together give no box

    public final ModelSpec spec;
    /** Milliseconds of the last {@link #locate}: crop and conversion, network, decoding. */
    public double cropMillis, networkMillis, decodeMillis;

    private final Engine engine;
    private final Decoder decoder;
    private final boolean flipTest;
    private final int crops;
    private final ByteBuffer in, out;

    /**
     * @param decoder the description's own when {@code null}
     * @param flipTest average with the un-flipped heat maps of the mirror image
     * @param crops 2 averages with the heat maps of a second crop of the same box, see {@link Crops}; else 1
     * @throws CUNetException the engine's shapes are not those that the description names, the flip test has no pairs,
     *     or another number of crops
     */
    public Localizer(Engine engine, ModelSpec spec, Decoder decoder, boolean flipTest, int crops) {
        TensorType input = engine.input();
        TensorType output = engine.output();
        if (input.side() != spec.inputSize || input.channels() != 3) {
            throw new CUNetException("model " + spec.name + ": its description says " + spec.inputSize
                    + " px RGB, the network takes " + input.side() + " px with " + input.channels() + " channels.");
        }
        if (output.side() * STRIDE != input.side() || output.channels() != spec.skeleton.size()) {
            throw new CUNetException("model " + spec.name + ": its description has " + spec.skeleton.size()
                    + " landmarks, the network gives " + output.channels() + " maps of " + output.side() + " px.");
        }
        if (flipTest && !spec.skeleton.mirrored) {
            throw new CUNetException("model " + spec.name + ": no flip_pairs, and a mirror image would mix up left"
                    + " and right: leave the flip test out.");
        }
        if (crops != 1 && crops != 2) {
            throw new CUNetException("crops " + crops + ": give 1, or 2 for the mean of two crops.");
        }
        this.engine = engine;
        this.spec = spec;
        this.decoder = decoder == null ? Decoder.named(spec.decoder) : decoder;
        this.flipTest = flipTest;
        this.crops = crops;
        in = ByteBuffer.allocateDirect(input.bytes()).order(ByteOrder.nativeOrder());
        out = ByteBuffer.allocateDirect(output.bytes()).order(ByteOrder.nativeOrder());
    }

    /**
     * Landmarks of one object in an upright picture.
     *
     * @param box tight box in the picture's pixels, enlarged by the model's crop factor; {@code null} takes
     *     the whole picture, padded to a square, not enlarged, and closes in on the points
     */
    public Landmarks locate(Picture picture, Box box) {
        return locate(picture, new Orientation(0, false), box);
    }

    /**
     * Landmarks of one object in a camera frame as it lies; the frame is never turned as a whole.
     *
     * @param box tight box in upright pixels, or {@code null}
     * @return landmarks in upright pixels
     */
    public Landmarks locate(Picture frame, Orientation orientation, Box box) {
        if (box != null) {
            return locate(frame, orientation, new View(box, spec.cropFactor, 0), 0, "given");
        }
        Box whole = Box.whole(orientation.uprightWidth(frame.width, frame.height),
                orientation.uprightHeight(frame.width, frame.height));
        return locate(frame, orientation, new View(whole, 1, 0), CLOSING, "whole picture");
    }

    /**
     * Landmarks of one object where a detector sees it: its box is not quite tight, so a second look follows.
     *
     * @param box of the detector, in upright pixels
     * @return landmarks in upright pixels
     */
    public Landmarks locateDetected(Picture frame, Orientation orientation, Box box) {
        return locate(frame, orientation, new View(box, spec.cropFactor, 0), 1, "detector");
    }

    private Landmarks locate(Picture frame, Orientation orientation, View first, int closing, String from) {
        cropMillis = networkMillis = decodeMillis = 0;
        Look look = look(frame, orientation, first);
        Look before = null;
        for (int i = 0; i < closing && Box.around(look.points).longerSide() >= SMALLEST; i++) {
            double roll = spec.confidence == null ? 0 : spec.confidence.roll(look.points);
            before = look;
            look = look(frame, orientation, View.around(look.points, spec.cropFactor, roll));
        }
        return judged(look, before, first.box, from);
    }

    /** What one look gave: heat maps, points in their pixels and in the picture's, scores. */
    private static final class Look {
        float[] maps, scores;
        double[][] inner, points;
        Affine toMaps;
    }

    private Look look(Picture frame, Orientation orientation, View view) {
        Affine toCrop = Affine.crop(view.box, view.factor, spec.inputSize, view.roll);
        int side = engine.output().side();
        int channels = spec.skeleton.size();
        Look look = new Look();
        look.maps = heatmaps(cut(frame, orientation, toCrop));
        if (crops == 2) {
            Affine turned = Affine.crop(view.box, view.factor, spec.inputSize, view.roll + Crops.TURN);
            Crops.average(look.maps, heatmaps(cut(frame, orientation, turned)), side, channels);
        }
        long start = System.nanoTime();
        look.inner = decoder.points(look.maps, side, channels, spec.sigma);
        look.scores = Decoder.scores(look.maps, side, channels);
        double half = (STRIDE - 1) / 2.0;  // heat-map pixel u is crop coordinate STRIDE * u + half
        Affine toPicture = toCrop.inverse().after(new Affine(STRIDE, 0, half, 0, STRIDE, half));
        look.points = toPicture.apply(look.inner);
        look.toMaps = toPicture.inverse();
        decodeMillis += millisSince(start);
        return look;
    }

    private Picture cut(Picture frame, Orientation orientation, Affine toCrop) {
        long start = System.nanoTime();
        Affine toUpright = orientation.frameToUpright(frame.width, frame.height);
        Picture crop = Warp.crop(frame, toCrop.after(toUpright), spec.inputSize);
        cropMillis += millisSince(start);
        return crop;
    }

    private Landmarks judged(Look look, Look before, Box box, String boxFrom) {
        double sure = Double.NaN;
        boolean found = true;
        boolean[] visible = new boolean[look.points.length];
        if (spec.confidence != null) {
            double[][] seen = before == null ? null : look.toMaps.apply(before.points);
            sure = spec.confidence.of(look.maps, engine.output().side(), look.inner, look.scores, seen);
            found = sure >= spec.confidence.threshold;
        }
        for (int i = 0; i < visible.length; i++) {
            visible[i] = found && (spec.confidence == null || look.scores[i] >= spec.confidence.visible);
        }
        return new Landmarks(look.points, look.scores, box, boxFrom, sure, found, visible);
    }

    /**
     * Heat maps {@code [side, side, C]} of a crop, with the flip test.
     *
     * @throws CUNetException the network returned NaN
     */
    public float[] heatmaps(Picture crop) {
        float[] maps = run(crop);
        if (flipTest) {
            average(maps, run(crop.mirrored()));
        }
        return maps;
    }

    private float[] run(Picture crop) {
        long start = System.nanoTime();
        engine.input().write(unitRange(crop), in);
        cropMillis += millisSince(start);
        start = System.nanoTime();
        engine.run(in, out);
        networkMillis += millisSince(start);
        float[] maps = engine.output().read(out);
        for (float value : maps) {
            if (Float.isNaN(value) || Float.isInfinite(value)) {
                throw new CUNetException("model " + spec.name + " returned NaN: the file is damaged, export it again.");
            }
        }
        return maps;
    }

    private static float[] unitRange(Picture crop) {
        float[] values = new float[3 * crop.argb.length];
        for (int i = 0, j = 0; i < crop.argb.length; i++) {
            int pixel = crop.argb[i];
            values[j++] = (pixel >> 16 & 0xFF) / 255f;
            values[j++] = (pixel >> 8 & 0xFF) / 255f;
            values[j++] = (pixel & 0xFF) / 255f;
        }
        return values;
    }

    private void average(float[] maps, float[] mirrored) {
        int side = engine.output().side();
        int[] flip = spec.skeleton.flip;
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int at = (y * side + x) * flip.length;
                int across = (y * side + side - 1 - x) * flip.length;
                for (int c = 0; c < flip.length; c++) {
                    maps[at + c] = (maps[at + c] + mirrored[across + flip[c]]) / 2f;
                }
            }
        }
    }

    private static double millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e6;
    }

    @Override
    public void close() {
        engine.close();
    }
}
