package cunet.desktop;

import cunet.core.CUNetException;
import java.util.Arrays;

/** The core on this machine, without a phone: {@code predict} and {@code render}. */
public final class Main {
    private Main() {}

    /** @param arguments a verb, its options and pictures */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("java.awt.headless", "true");
        String verb = arguments.length > 0 ? arguments[0] : "";
        String[] rest = arguments.length > 0 ? Arrays.copyOfRange(arguments, 1, arguments.length) : arguments;
        try {
            switch (verb) {
                case "predict" -> Predict.run(rest);
                case "render" -> Render.run(rest);
                default -> throw new CUNetException(
                        "usage: predict --library=libLiteRt.so --model=FILE --out=DIR PICTURE..., "
                        + "or render --library=libLiteRt.so --model=FILE --box=x0,y0,x1,y1 --out=FILE.png PICTURE");
            }
        } catch (CUNetException error) {
            System.err.println("error: " + error.getMessage());
            System.exit(1);
        }
    }
}
