package cunet.app;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;

/** Gives the one picture that the user shares to the app that the user chose: one address, read only. */
public final class SharedPictures extends ContentProvider {
    static final Uri URI = Uri.parse("content://cunet.app.pictures/landmarks.jpg");
    static final String TYPE = "image/jpeg";

    /** Where the picture lies, which may not exist yet. */
    static File file(Context context) {
        return new File(new File(context.getCacheDir(), "shared"), "landmarks.jpg");
    }

    @Override
    public boolean onCreate() {
        return true;
    }

    @Override
    public String getType(Uri uri) {
        return URI.equals(uri) ? TYPE : null;
    }

    @Override
    public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
        if (!URI.equals(uri) || !"r".equals(mode)) {
            throw new FileNotFoundException(uri + " (" + mode + "): only " + URI + " can be read");
        }
        return ParcelFileDescriptor.open(file(getContext()), ParcelFileDescriptor.MODE_READ_ONLY);
    }

    /** Name and size, which receivers show. */
    @Override
    public Cursor query(Uri uri, String[] columns, String selection, String[] arguments, String order) {
        String[] asked = columns == null ? new String[] {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE} : columns;
        MatrixCursor cursor = new MatrixCursor(asked);
        if (URI.equals(uri)) {
            MatrixCursor.RowBuilder row = cursor.newRow();
            for (String column : asked) {
                row.add(OpenableColumns.DISPLAY_NAME.equals(column) ? "landmarks.jpg"
                        : OpenableColumns.SIZE.equals(column) ? file(getContext()).length() : null);
            }
        }
        return cursor;
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public int delete(Uri uri, String selection, String[] arguments) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] arguments) {
        throw new UnsupportedOperationException("read only");
    }
}
