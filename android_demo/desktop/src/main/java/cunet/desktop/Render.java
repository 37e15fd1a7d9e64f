package cunet.desktop;

import cunet.core.Affine;
import cunet.core.Box;
import cunet.core.CUNetException;
import cunet.core.Fields;
import cunet.core.Json;
import cunet.core.Landmarks;
import cunet.core.Localizer;
import cunet.core.Orientation;
import cunet.core.Overlay;
import cunet.core.Picture;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/**
 * What the app's view shows for a camera that delivers its frames turned, with and without the looking-glass: all
 * eight combinations of rotation and mirroring, by the same maps as the app.
 */
final class Render {
    private static final Set<String> OPTIONS = Set.of("library", "model", "out", "box", "decoder", "flip_test",
            "crops", "width", "height");

    private final Options options;
    private final int width, height;

    private Render(Options options) {
        this.options = options;
        width = Integer.parseInt(options.get("width") == null ? "300" : options.get("width"));
        height = Integer.parseInt(options.get("height") == null ? "360" : options.get("height"));
    }

    static void run(String[] arguments) throws IOException {
        new Render(new Options(arguments, OPTIONS)).run();
    }

    private void run() throws IOException {
        if (options.rest.size() != 1) {
            throw new CUNetException("name one picture at the end of the line.");
        }
        Picture upright = Pictures.read(Path.of(options.rest.get(0)));
        double[] b = new Fields("--box", Json.parse("{\"box\": [" + options.required("box", "x0,y0,x1,y1")
                + "]}")).numbers("box");
        Box box = new Box(b[0], b[1], b[2], b[3]);
        BufferedImage sheet = new BufferedImage(4 * width, 2 * height, BufferedImage.TYPE_INT_RGB);
        double apart = 0;
        try (Localizer localizer = Predict.localizer(options)) {
            Landmarks reference = localizer.locate(upright, box);
            for (int i = 0; i < 8; i++) {
                Orientation lies = new Orientation(90 * (i % 4), i >= 4);
                Picture frame = new Orientation(-lies.rotation, false).seen(upright);
                Landmarks found = localizer.locate(frame, lies, box);
                apart = Math.max(apart, distance(found.points, reference.points));
                BufferedImage view = view(frame, lies, found, localizer);
                sheet.createGraphics().drawImage(view, width * (i % 4), height * (i / 4), null);
            }
        }
        Path out = Path.of(options.required("out", "a PNG or JPEG file"));
        Pictures.save(sheet, out);
        System.out.printf(Locale.ROOT,
                "%s: rotation 0, 90, 180, 270; below mirrored; landmarks at most %.4f px apart%n", out, apart);
    }

    /** As LandmarkView draws it: the frame through one map, the overlay through the last part of it. */
    private BufferedImage view(Picture frame, Orientation lies, Landmarks found, Localizer localizer) {
        BufferedImage view = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = view.createGraphics();
        pen.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        Affine toView = lies.uprightToView(frame.width, frame.height, width, height);
        Affine on = toView.after(lies.frameToUpright(frame.width, frame.height)).onCorners();
        pen.drawImage(Pictures.image(frame), new AffineTransform(on.a, on.d, on.b, on.e, on.c, on.f), null);
        Pictures.draw(pen, new Overlay(found.points, localizer.spec.skeleton, toView));
        pen.setColor(Color.GRAY);
        pen.drawRect(0, 0, width - 1, height - 1);
        pen.dispose();
        return view;
    }

    private static double distance(double[][] some, double[][] others) {
        double most = 0;
        for (int i = 0; i < some.length; i++) {
            most = Math.max(most, Math.hypot(some[i][0] - others[i][0], some[i][1] - others[i][1]));
        }
        return most;
    }
}
