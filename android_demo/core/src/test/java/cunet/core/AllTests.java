package cunet.core;

/** Runs every test of the core on what Python wrote; exit status 0 when all pass. */
public final class AllTests {
    private AllTests() {}

    /** @param args the files of {@code tools/golden.py} and of {@code tools/golden_ports.py} */
    public static void main(String[] args) throws Exception {
        Golden golden = new Golden(args[0]);
        Check check = new Check();
        PixelsTest.run(check, golden);
        PointsTest.run(check, golden);
        ModelsTest.run(check, golden);
        PackedTest.run(check, golden);
        PortsTest.run(check, new Golden(args[1]));
        FacesTest.run(check);
        System.exit(check.finish());
    }
}
