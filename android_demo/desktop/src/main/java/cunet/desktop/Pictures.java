package cunet.desktop;

import cunet.core.CUNetException;
import cunet.core.Overlay;
import cunet.core.Picture;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;

/** Picture files and drawing on a machine without a screen. */
final class Pictures {
    private static final Pattern PPM = Pattern.compile("P6\\s+(\\d{1,6})\\s+(\\d{1,6})\\s+255\\s");

    private Pictures() {}

    /**
     * Reads PPM (P6, 8 bits: pixels handed over as they are), or whatever javax.imageio decodes; Exif is not looked at.
     *
     * @throws CUNetException not a picture
     */
    static Picture read(Path file) throws IOException {
        if (file.toString().endsWith(".ppm")) {
            return ppm(file, Files.readAllBytes(file));
        }
        BufferedImage image = ImageIO.read(file.toFile());
        if (image == null) {
            throw new CUNetException(file + ": not a picture that Java can read: convert it to PNG or PPM.");
        }
        int width = image.getWidth();
        int height = image.getHeight();
        return new Picture(width, height, image.getRGB(0, 0, width, height, null, 0, width));
    }

    private static Picture ppm(Path file, byte[] bytes) {
        String head = new String(bytes, 0, Math.min(bytes.length, 64), StandardCharsets.ISO_8859_1);
        Matcher form = PPM.matcher(head);
        if (!form.lookingAt()) {
            throw new CUNetException(file + ": not a binary PPM with 8 bits (P6, no comments).");
        }
        byte[] rgb = Arrays.copyOfRange(bytes, form.end(), bytes.length);
        return Picture.fromRgb(rgb, Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)));
    }

    /** The picture as Java's own. */
    static BufferedImage image(Picture picture) {
        BufferedImage image = new BufferedImage(picture.width, picture.height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, picture.width, picture.height, picture.argb, 0, picture.width);
        return image;
    }

    /** Draws edges and points as the app does; the canvas counts from pixel corners, we from centres. */
    static void draw(Graphics2D canvas, Overlay overlay) {
        canvas.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        canvas.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        canvas.setStroke(new BasicStroke(overlay.thickness));
        for (int i = 0; i < overlay.lines.length; i++) {
            float[] line = overlay.lines[i];
            canvas.setColor(new Color(overlay.lineColours[i]));
            canvas.draw(new Line2D.Double(line[0] + 0.5, line[1] + 0.5, line[2] + 0.5, line[3] + 0.5));
        }
        for (int i = 0; i < overlay.dots.length; i++) {
            dot(canvas, overlay.dots[i], 1.4f * overlay.thickness + 1, Color.WHITE);
            dot(canvas, overlay.dots[i], 1.4f * overlay.thickness, new Color(overlay.dotColours[i]));
        }
    }

    private static void dot(Graphics2D canvas, float[] centre, float radius, Color colour) {
        canvas.setColor(colour);
        canvas.fill(new Ellipse2D.Double(centre[0] + 0.5 - radius, centre[1] + 0.5 - radius, 2 * radius, 2 * radius));
    }

    /** Writes JPEG or PNG, as the file's name ends. */
    static void save(BufferedImage image, Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        ImageIO.write(image, file.toString().endsWith(".jpg") ? "jpg" : "png", new File(file.toString()));
    }
}
