package cunet.core;

import java.util.ArrayList;
import java.util.List;

/** Counts tests: a plain-Java runner that needs no library. */
final class Check {
    /** A test that may throw. */
    interface Body {
        void run() throws Exception;
    }

    private int passed;
    private final List<String> failures = new ArrayList<>();

    /** Runs one test; what it throws is a failure. */
    void test(String name, Body body) {
        try {
            body.run();
            passed++;
        } catch (Exception | AssertionError error) {
            StackTraceElement place = error.getStackTrace()[0];
            failures.add(name);
            String text = String.valueOf(error);
            System.out.println("FAILED " + name + ": " + text.substring(0, Math.min(400, text.length())) + " at "
                    + place);
        }
    }

    /** Prints the closing line and returns the exit status. */
    int finish() {
        System.out.println(passed + " passed, " + failures.size() + " failed");
        return failures.isEmpty() && passed > 0 ? 0 : 1;
    }

    static void that(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void same(Object found, Object expected) {
        that(expected.equals(found), "found " + found + ", expected " + expected);
    }

    /** All values within {@code tolerance}. */
    static void near(double[] found, double[] expected, double tolerance) {
        same(found.length, expected.length);
        for (int i = 0; i < found.length; i++) {
            double apart = Math.abs(found[i] - expected[i]);
            that(apart <= tolerance, "value " + i + " is " + found[i] + ", expected " + expected[i]);
        }
    }

    /** The body throws a {@link CUNetException} whose message holds {@code part}. */
    static void refused(String part, Body body) throws Exception {
        try {
            body.run();
        } catch (CUNetException error) {
            that(error.getMessage().contains(part), "message: " + error.getMessage());
            return;
        }
        throw new AssertionError("accepted, expected an error about " + part);
    }
}
