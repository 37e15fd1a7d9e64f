package cunet.core;

/** A model ready to run: the bytes of a {@code .tflite} file and its description. */
public final class ModelFile {
    public final byte[] tflite;
    public final ModelSpec spec;

    private ModelFile(byte[] tflite, ModelSpec spec) {
        this.tflite = tflite;
        this.spec = spec;
    }

    /**
     * Reads a model file.
     *
     * @param name of the file, for messages
     * @param bytes of a {@code .tflite} or a packed {@code .cunet} file
     * @throws CUNetException another kind of file, a damaged one, or one without a description
     */
    public static ModelFile read(String name, byte[] bytes) {
        try {
            if (PackedModel.marked(bytes)) {
                PackedModel packed = new PackedModel(bytes);
                return new ModelFile(packed.expand(), new ModelSpec(packed.spec()));
            }
            String spec = TfliteMetadata.find(bytes, ModelSpec.NAME);
            if (spec == null) {
                throw new CUNetException("the model carries no description (cunet_spec): export it with cunet export.");
            }
            return new ModelFile(bytes, new ModelSpec(spec));
        } catch (CUNetException error) {
            throw new CUNetException(name + ": " + error.getMessage());
        }
    }
}
