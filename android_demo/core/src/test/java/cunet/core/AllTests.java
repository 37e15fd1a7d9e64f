package cunet.core;

/** Runs every test of the core on the vectors of {@code tools/golden.py}; exit status 0 when all pass. */
public final class AllTests {
    private AllTests() {}

    /** @param args the folder of {@code golden.json}. */
    public static void main(String[] args) throws Exception {
        Golden golden = new Golden(args[0]);
        Check check = new Check();
        PixelsTest.run(check, golden);
        PointsTest.run(check, golden);
        ModelsTest.run(check, golden);
        PackedTest.run(check, golden);
        System.exit(check.finish());
    }
}
