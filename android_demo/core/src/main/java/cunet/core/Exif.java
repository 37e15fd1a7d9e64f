package cunet.core;

/** Finds the orientation that a camera wrote into a JPEG file; never trusts a length. */
public final class Exif {
    private static final int ORIENTATION = 0x0112;
    private static final int START_OF_SCAN = 0xDA;
    private static final int APP1 = 0xE1;

    private final byte[] jpeg;
    private boolean little;

    private Exif(byte[] jpeg) {
        this.jpeg = jpeg;
    }

    /** The tag, 1 to 8; 1 for files without one, damaged ones, and other kinds of files. */
    public static int orientation(byte[] jpeg) {
        try {
            return new Exif(jpeg).find();
        } catch (IndexOutOfBoundsException error) {
            return 1;
        }
    }

    private int find() {
        little = false;
        if (word(0) != 0xFFD8) {
            return 1;
        }
        int at = 2;
        while (at + 4 <= jpeg.length && (word(at) & 0xFF00) == 0xFF00) {
            int marker = word(at) & 0xFF;
            int length = word(at + 2);
            if (marker == START_OF_SCAN || length < 2) {
                return 1;
            }
            if (marker == APP1 && word(at + 4) == 0x4578 && word(at + 6) == 0x6966) {  // "Exif"
                return directory(at + 10);
            }
            at += 2 + length;
        }
        return 1;
    }

    /** @param base where the TIFF header stands, from which offsets count */
    private int directory(int base) {
        little = word(base) == 0x4949;
        int first = word(base + (little ? 4 : 6)) | word(base + (little ? 6 : 4)) << 16;
        int entries = base + first;
        if (first < 8 || entries < base) {
            return 1;
        }
        int count = word(entries);
        for (int i = 0; i < count; i++) {
            int entry = entries + 2 + 12 * i;
            if (word(entry) == ORIENTATION) {
                int value = word(entry + 8);
                return value >= 1 && value <= 8 ? value : 1;
            }
        }
        return 1;
    }

    private int word(int at) {
        int one = jpeg[at] & 0xFF;
        int two = jpeg[at + 1] & 0xFF;
        return little ? two << 8 | one : one << 8 | two;
    }
}
