package cunet.core;

import java.util.List;

/** A set of C landmarks: names, mirror pairs, edges to draw; indices are 0-based. */
public final class Skeleton {
    private static final int MOST = 4096;

    public final String name;
    public final String[] names;
    /** Landmark i of the mirror image is landmark {@code flip[i]} of the picture. */
    public final int[] flip;
    /** Whether it is known what a mirror image swaps. */
    public final boolean mirrored;
    /** Index pairs joined by a line. */
    public final int[][] edges;

    /**
     * From the field {@code skeleton} of a description; only {@code names} is required.
     *
     * @throws CUNetException an index out of range, or no names
     */
    public Skeleton(Fields fields) {
        name = fields.text("name", "custom");
        List<?> given = fields.list("names");
        if (given.isEmpty() || given.size() > MOST) {
            throw new CUNetException("cunet_spec.skeleton.names: 1 to " + MOST + " names, not " + given.size() + ".");
        }
        names = new String[given.size()];
        flip = new int[names.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = String.valueOf(given.get(i));
            flip[i] = i;
        }
        mirrored = fields.has("flip_pairs");
        for (int[] pair : fields.pairs("flip_pairs", names.length)) {
            if (flip[pair[0]] != pair[0] || flip[pair[1]] != pair[1] || pair[0] == pair[1]) {
                throw new CUNetException("cunet_spec.skeleton.flip_pairs name a landmark twice: "
                        + "export the model again.");
            }
            flip[pair[0]] = pair[1];
            flip[pair[1]] = pair[0];
        }
        edges = fields.pairs("edges", names.length);
    }

    /** C, the number of landmarks. */
    public int size() {
        return names.length;
    }
}
