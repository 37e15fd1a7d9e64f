package cunet.core;

/** The self-description that every model file carries, {@code cunet_spec}. */
public final class ModelSpec {
    /** Of the metadata buffer that holds it. */
    public static final String NAME = "cunet_spec";
    /** The newest description that this code reads. */
    public static final int VERSION = 1;

    public final String name;
    public final String quant;
    /** {@code "dark"}, {@code "quarter"} or {@code "argmax"}. */
    public final String decoder;
    public final String data;
    public final String license;
    public final Skeleton skeleton;
    /** Side of the square input in pixels; heat maps have a quarter of it. */
    public final int inputSize;
    /** The tight box is enlarged by this factor to make the crop. */
    public final double cropFactor;
    /** Of the Gaussian targets, in heat-map pixels. */
    public final double sigma;
    /** How far results can be trusted; {@code null} where it was not measured. */
    public final Confidence confidence;

    /**
     * @param json one JSON object
     * @throws CUNetException incomplete, newer than this code, or an input range other than 0..1
     */
    public ModelSpec(String json) {
        this(new Fields("cunet_spec", Json.parse(json)));
    }

    ModelSpec(Fields fields) {
        int version = fields.integer("version", 0, Integer.MAX_VALUE);
        if (version > VERSION) {
            throw new CUNetException("cunet_spec has version " + version + ", this program reads up to " + VERSION
                    + ": update it.");
        }
        name = fields.text("name");
        quant = fields.text("quant", "float");
        decoder = fields.text("decoder", "dark");
        data = fields.text("data", "");
        license = fields.text("license", "");
        skeleton = new Skeleton(fields.object("skeleton"));
        inputSize = fields.integer("input_size", 16, 4096);
        cropFactor = positive(fields, "crop_factor");
        sigma = positive(fields, "sigma");
        confidence = fields.has("confidence") ? new Confidence(fields.object("confidence"), skeleton.size()) : null;
        if (!fields.list("input_range").toString().equals("[0.0, 1.0]")) {
            throw new CUNetException("cunet_spec.input_range: this program feeds 0..1 only: export the model again.");
        }
    }

    private static double positive(Fields fields, String field) {
        double value = fields.number(field);
        if (!(value > 0)) {
            throw new CUNetException("cunet_spec." + field + ": " + value + " is not above 0: export the model again.");
        }
        return value;
    }
}
