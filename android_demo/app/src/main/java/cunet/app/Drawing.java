package cunet.app;

import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Matrix;
import android.graphics.Paint;
import cunet.core.Affine;
import cunet.core.Overlay;

/** Draws a scene, picture and landmarks through one and the same map, so that they cannot part. */
final class Drawing {
    private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG | Paint.FILTER_BITMAP_FLAG);

    /** As large as it fits into a canvas of the given sides, in pixels. */
    void draw(Canvas canvas, Scene scene, int width, int height) {
        Affine toView = scene.toView(width, height);
        Affine toUpright = scene.orientation.frameToUpright(scene.bitmap.getWidth(), scene.bitmap.getHeight());
        canvas.drawBitmap(scene.bitmap, matrix(toView.after(toUpright)), paint);
        canvas.save();
        canvas.translate(0.5f, 0.5f);  // the core counts from pixel centres
        paint.setStyle(Paint.Style.STROKE);
        if (scene.guide != null) {
            outline(canvas, toView.apply(scene.guide.corners()));
        }
        if (scene.landmarks != null) {
            draw(canvas, new Overlay(scene.landmarks.points, scene.skeleton, toView));
        }
        canvas.restore();
    }

    /** What people see, picture and landmarks, as a bitmap of the upright picture's size. */
    static Bitmap picture(Scene scene) {
        Bitmap bitmap = Bitmap.createBitmap(scene.uprightWidth(), scene.uprightHeight(), Bitmap.Config.ARGB_8888);
        new Drawing().draw(new Canvas(bitmap), scene, bitmap.getWidth(), bitmap.getHeight());
        return bitmap;
    }

    private static Matrix matrix(Affine affine) {
        Affine on = affine.onCorners();
        Matrix matrix = new Matrix();
        matrix.setValues(new float[] {(float) on.a, (float) on.b, (float) on.c, (float) on.d, (float) on.e,
                (float) on.f, 0, 0, 1});
        return matrix;
    }

    /** White over black, to be seen on any picture. */
    private void outline(Canvas canvas, double[][] corners) {
        for (int pass = 0; pass < 2; pass++) {
            paint.setColor(pass == 0 ? 0x80000000 : 0xC0FFFFFF);
            paint.setStrokeWidth(pass == 0 ? 5 : 2);
            for (int i = 0; i < 4; i++) {
                double[] from = corners[i];
                double[] to = corners[(i + 1) % 4];
                canvas.drawLine((float) from[0], (float) from[1], (float) to[0], (float) to[1], paint);
            }
        }
    }

    private void draw(Canvas canvas, Overlay overlay) {
        paint.setStrokeWidth(overlay.thickness);
        for (int i = 0; i < overlay.lines.length; i++) {
            float[] line = overlay.lines[i];
            paint.setColor(overlay.lineColours[i]);
            canvas.drawLine(line[0], line[1], line[2], line[3], paint);
        }
        paint.setStyle(Paint.Style.FILL);
        for (int i = 0; i < overlay.dots.length; i++) {
            float[] dot = overlay.dots[i];
            paint.setColor(Color.WHITE);
            canvas.drawCircle(dot[0], dot[1], 1.4f * overlay.thickness + 1, paint);
            paint.setColor(overlay.dotColours[i]);
            canvas.drawCircle(dot[0], dot[1], 1.4f * overlay.thickness, paint);
        }
    }
}
