package cunet.desktop;

import cunet.core.Affine;
import cunet.core.Box;
import cunet.core.CUNetException;
import cunet.core.Decoder;
import cunet.core.Fields;
import cunet.core.Json;
import cunet.core.Landmarks;
import cunet.core.Localizer;
import cunet.core.ModelFile;
import cunet.core.Overlay;
import cunet.core.Picture;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Landmarks of pictures as JSON, in the same form as {@code cunet predict}. */
final class Predict {
    private static final Set<String> OPTIONS =
            Set.of("library", "model", "out", "box", "boxes", "decoder", "flip_test", "crops", "png");
    private static final Set<String> ENDINGS = Set.of("ppm", "png", "jpg", "jpeg", "bmp");

    private final Options options;
    private final Path out;

    private Predict(Options options) {
        this.options = options;
        this.out = Path.of(options.required("out", "a folder for STEM.json"));
    }

    static void run(String[] arguments) throws IOException {
        new Predict(new Options(arguments, OPTIONS)).run();
    }

    private void run() throws IOException {
        List<Path> files = files();
        Fields boxes = options.get("boxes") == null ? null
                : new Fields("boxes", Json.parse(Files.readString(Path.of(options.get("boxes")))));
        double cut = 0;
        double network = 0;
        double decoded = 0;
        try (Localizer localizer = localizer(options)) {
            Files.createDirectories(out);
            for (Path file : files) {
                Picture picture = Pictures.read(file);
                Landmarks found = localizer.locate(picture, box(boxes, stem(file)));
                write(file, picture, found, localizer);
                cut += localizer.cropMillis;
                network += localizer.networkMillis;
                decoded += localizer.decodeMillis;
            }
        }
        double count = files.size();
        System.out.printf(Locale.ROOT, "%d pictures in %s; ms each: crop %.2f, network %.2f, decode %.2f%n",
                files.size(), out,
                cut / count, network / count, decoded / count);
    }

    /** A localizer as {@code --library}, {@code --model}, {@code --decoder}, {@code --flip_test} and {@code --crops} say. */
    static Localizer localizer(Options options) throws IOException {
        Path file = Path.of(options.required("model", "a .tflite or .cunet file"));
        if (!Files.isRegularFile(file)) {
            throw new CUNetException(file + ": no such model file.");
        }
        ModelFile model = ModelFile.read(file.toString(), Files.readAllBytes(file));
        Path library = Path.of(options.required("library", "libLiteRt.so of ai-edge-litert 2.3.0"));
        Decoder decoder = options.get("decoder") == null ? null : Decoder.named(options.get("decoder"));
        String crops = options.get("crops") == null ? "1" : options.get("crops");
        if (!crops.equals("1") && !crops.equals("2")) {
            throw new CUNetException("--crops=" + crops + ": give 1, or 2 for the mean of two crops.");
        }
        return new Localizer(new LiteRtEngine(library, model.tflite), model.spec, decoder, options.flag("flip_test"),
                Integer.parseInt(crops));
    }

    private List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        for (String name : options.rest) {
            Path path = Path.of(name);
            if (Files.isDirectory(path)) {
                try (Stream<Path> inside = Files.list(path)) {
                    inside.filter(file -> ENDINGS.contains(ending(file))).sorted().forEach(files::add);
                }
            } else if (Files.exists(path)) {
                files.add(path);
            } else {
                throw new CUNetException(path + ": no such file or folder.");
            }
        }
        if (files.isEmpty()) {
            throw new CUNetException("name the pictures, or a folder of them, at the end of the line.");
        }
        return files;
    }

    private Box box(Fields boxes, String stem) {
        double[] sides;
        if (boxes != null) {
            sides = boxes.numbers(stem);
        } else if (options.get("box") != null) {
            sides = new Fields("--box", Json.parse("{\"box\": [" + options.get("box") + "]}")).numbers("box");
        } else {
            return null;
        }
        if (sides.length != 4 || sides[2] <= sides[0] || sides[3] <= sides[1]) {
            throw new CUNetException("box " + Arrays.toString(sides)
                    + ": give x0,y0,x1,y1 with x0 < x1 and y0 < y1, in pixels.");
        }
        return new Box(sides[0], sides[1], sides[2], sides[3]);
    }

    private void write(Path file, Picture picture, Landmarks found, Localizer localizer) throws IOException {
        StringBuilder points = new StringBuilder();
        StringBuilder scores = new StringBuilder();
        StringBuilder visible = new StringBuilder();
        StringBuilder names = new StringBuilder();
        for (int i = 0; i < found.points.length; i++) {
            String comma = i == 0 ? "" : ", ";
            points.append(comma).append(String.format(Locale.ROOT, "[%.4f, %.4f]", found.points[i][0],
                    found.points[i][1]));
            scores.append(comma).append(String.format(Locale.ROOT, "%.4f", found.scores[i]));
            visible.append(comma).append(found.visible[i]);
            names.append(comma).append(quoted(localizer.spec.skeleton.names[i]));
        }
        Box box = found.box;
        String confidence = Double.isNaN(found.confidence) ? "null"
                : String.format(Locale.ROOT, "%.4f", found.confidence);
        String object = String.format(Locale.ROOT,
                "{\"box\": [%.3f, %.3f, %.3f, %.3f], \"box_from\": \"%s\", \"landmarks\": [%s], \"scores\": [%s], "
                        + "\"visible\": [%s], \"confidence\": %s, \"found\": %b}",
                box.x0, box.y0, box.x1, box.y1, found.boxFrom, points, scores, visible, confidence, found.found);
        String json = String.format(Locale.ROOT,
                "{\"written_by\": \"cunet-tf\", \"image\": %s, \"width\": %d, \"height\": %d, \"skeleton\": %s, "
                        + "\"names\": [%s], \"objects\": [%s]}%n",
                quoted(file.toString()), picture.width, picture.height, quoted(localizer.spec.skeleton.name), names,
                object);
        Files.writeString(out.resolve(stem(file) + ".json"), json);
        if (options.flag("png")) {
            BufferedImage canvas = Pictures.image(picture);
            Graphics2D pen = canvas.createGraphics();
            Pictures.draw(pen, new Overlay(found.points, localizer.spec.skeleton, Affine.IDENTITY));
            pen.dispose();
            Pictures.save(canvas, out.resolve(stem(file) + ".png"));
        }
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static String ending(Path file) {
        String name = file.getFileName().toString();
        return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    private static String stem(Path file) {
        String name = file.getFileName().toString();
        return name.lastIndexOf('.') > 0 ? name.substring(0, name.lastIndexOf('.')) : name;
    }
}
