package cunet.app;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.Context;
import android.content.Intent;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Build;
import android.provider.Settings;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;

/** Calls of other apps: pickers of pictures, settings, and the picture with its landmarks for whom the user chooses. */
final class Sharing {
    private static final String PHOTO_PICKER = "android.provider.action.PICK_IMAGES";  // from Android 13
    private static final int QUALITY = 92;

    private Sharing() {}

    /** Let the user choose a picture: in the photo picker, or any app that has some; false without one. */
    static boolean pick(Activity activity, int request) {
        Intent any = new Intent(Intent.ACTION_GET_CONTENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*");
        return Build.VERSION.SDK_INT >= 33 && ask(activity, new Intent(PHOTO_PICKER).setType("image/*"), request)
                || ask(activity, any, request);
    }

    /** Start another app for a result; false where there is none. */
    static boolean ask(Activity activity, Intent intent, int request) {
        try {
            activity.startActivityForResult(intent, request);
            return true;
        } catch (ActivityNotFoundException | SecurityException error) {
            return false;
        }
    }

    /** Open the page of this app in the system's settings; false where there is none. */
    static boolean settings(Activity activity) {
        return ask(activity, new Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS,
                Uri.fromParts("package", activity.getPackageName(), null)), -1);
    }

    /**
     * Write a scene as people see it, for {@link #send}; on a thread that may wait.
     *
     * @throws IOException no room
     */
    static void write(Context context, Scene scene) throws IOException {
        File file = SharedPictures.file(context);
        File folder = file.getParentFile();
        if (!folder.isDirectory() && !folder.mkdirs()) {
            throw new IOException(folder + " cannot be made");
        }
        Bitmap drawn = Drawing.picture(scene);
        try (FileOutputStream out = new FileOutputStream(file)) {
            if (!drawn.compress(Bitmap.CompressFormat.JPEG, QUALITY, out)) {
                throw new IOException(file + " cannot be written");
            }
        } finally {
            drawn.recycle();
        }
    }

    /** Let the user choose who gets the picture that was written; the clip carries the right to read it. */
    static void send(Activity activity) {
        Intent send = new Intent(Intent.ACTION_SEND).setType(SharedPictures.TYPE)
                .putExtra(Intent.EXTRA_STREAM, SharedPictures.URI)
                .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION);
        send.setClipData(ClipData.newRawUri(null, SharedPictures.URI));
        activity.startActivity(Intent.createChooser(send, activity.getString(R.string.share)));
    }
}
