package cunet.core;

/** A mistake that a person can repair: the message says which file or field, what is wrong, what to do. */
public class CUNetException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message one sentence for people */
    public CUNetException(String message) {
        super(message);
    }
}
