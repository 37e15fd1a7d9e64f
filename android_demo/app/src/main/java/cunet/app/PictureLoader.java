package cunet.app;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.net.Uri;
import cunet.core.CUNetException;
import cunet.core.Exif;
import cunet.core.Orientation;
import cunet.core.Picture;
import java.io.IOException;
import java.io.InputStream;

/** Reads a picture that another app gives, upright, at a size that fits into memory. */
final class PictureLoader {
    private static final int MOST_BYTES = 64 << 20;
    private static final int LONGEST_SIDE = 2048;

    private PictureLoader() {}

    /**
     * @throws IOException the other app does not give it, or breaks while it does
     * @throws SecurityException it is no longer given to this app
     * @throws CUNetException not a picture, or too large a one for this device
     */
    static Picture load(Context context, Uri uri) throws IOException {
        byte[] bytes = bytes(context, uri);
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inJustDecodeBounds = true;
        BitmapFactory.decodeByteArray(bytes, 0, bytes.length, options);
        options.inJustDecodeBounds = false;
        options.inSampleSize = 1;
        while (Math.max(options.outWidth, options.outHeight) / options.inSampleSize > LONGEST_SIDE) {
            options.inSampleSize *= 2;
        }
        Bitmap bitmap = BitmapFactory.decodeByteArray(bytes, 0, bytes.length, options);
        if (bitmap == null) {
            throw new CUNetException("not a picture that Android reads.");
        }
        int width = bitmap.getWidth();
        int height = bitmap.getHeight();
        int[] argb = new int[width * height];
        bitmap.getPixels(argb, 0, width, 0, 0, width, height);
        bitmap.recycle();
        return Orientation.ofExif(Exif.orientation(bytes)).seen(new Picture(width, height, argb));
    }

    /** What another app's stream throws is its own affair: here it is a picture that cannot be read. */
    private static byte[] bytes(Context context, Uri uri) throws IOException {
        try (InputStream in = context.getContentResolver().openInputStream(uri)) {
            if (in == null) {
                throw new IOException("nothing behind " + uri);
            }
            return Models.readAll(in, MOST_BYTES);
        } catch (SecurityException error) {
            throw error;
        } catch (RuntimeException | OutOfMemoryError error) {
            throw new IOException(error);
        }
    }
}
