package cunet.core;

import java.security.MessageDigest;

/** Packed models against Python: the same expanded bytes, the same broken files refused. */
final class PackedTest {
    private PackedTest() {}

    static void run(Check check, Golden golden) {
        for (Fields one : golden.cases("packed")) {
            check.test("packed " + one.text("name"), () -> expand(one));
        }
        int index = 0;
        for (Fields one : golden.cases("broken")) {
            check.test("broken file " + index++, () -> broken(one));
        }
    }

    private static void expand(Fields one) throws Exception {
        PackedModel packed = new PackedModel(Golden.bytes(one.object("file")));
        byte[] out = packed.expand();
        Check.same(packed.digest(), one.text("sha256"));
        Check.same(out.length, (int) one.number("size"));
        StringBuilder digest = new StringBuilder();
        for (byte value : MessageDigest.getInstance("SHA-256").digest(out)) {
            digest.append(String.format("%02x", value));
        }
        Check.same(digest.toString(), one.text("sha256"));
    }

    /** Refused with a message, never with another exception; the program runs with a small heap. */
    private static void broken(Fields one) throws Exception {
        byte[] file = Golden.bytes(one.object("file"));
        if (one.flag("accept")) {
            new PackedModel(file).expand();
        } else {
            Check.refused(".cunet file", () -> new PackedModel(file).expand());
        }
    }
}
