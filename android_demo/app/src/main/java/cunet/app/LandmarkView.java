package cunet.app;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Matrix;
import android.graphics.Paint;
import android.graphics.RectF;
import android.util.AttributeSet;
import android.view.MotionEvent;
import android.view.View;
import cunet.core.Affine;
import cunet.core.Box;
import cunet.core.Overlay;

/**
 * Draws the analysed frame and what was found in it through one and the same map, so that they cannot part: no
 * preview surface with a transform of its own lies below.
 */
public final class LandmarkView extends View {
    private static final float SHORTEST_DRAG = 24;  // view pixels; less is a tap

    /** What fingers do, in upright pixels. */
    interface Touch {
        /** A tap anywhere. */
        void onTap();

        /** A box was dragged. */
        void onBox(Box box);
    }

    private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG | Paint.FILTER_BITMAP_FLAG);
    private final RectF drag = new RectF();
    private boolean dragging;
    private Scene scene;
    private Touch touch;

    /** As inflated from a layout. */
    public LandmarkView(Context context, AttributeSet attributes) {
        super(context, attributes);
    }

    /** Show something else; on the main thread. */
    void show(Scene next) {
        scene = next;
        invalidate();
    }

    void listen(Touch listener) {
        touch = listener;
    }

    @Override
    protected void onDraw(Canvas canvas) {
        if (scene == null) {
            return;
        }
        Affine toView = scene.toView(getWidth(), getHeight());
        int width = scene.bitmap.getWidth();
        int height = scene.bitmap.getHeight();
        canvas.drawBitmap(scene.bitmap, matrix(toView.after(scene.orientation.frameToUpright(width, height))), paint);
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
        if (dragging) {
            paint.setStyle(Paint.Style.STROKE);
            paint.setColor(Color.WHITE);
            canvas.drawRect(drag, paint);
        }
    }

    private static Matrix matrix(Affine affine) {
        Affine on = affine.onCorners();
        Matrix matrix = new Matrix();
        matrix.setValues(new float[] {(float) on.a, (float) on.b, (float) on.c, (float) on.d, (float) on.e,
                (float) on.f, 0, 0, 1});
        return matrix;
    }

    private void outline(Canvas canvas, double[][] corners) {
        paint.setColor(0x80FFFFFF);
        paint.setStrokeWidth(2);
        for (int i = 0; i < 4; i++) {
            double[] from = corners[i];
            double[] to = corners[(i + 1) % 4];
            canvas.drawLine((float) from[0], (float) from[1], (float) to[0], (float) to[1], paint);
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

    @Override
    public boolean onTouchEvent(MotionEvent event) {
        if (scene == null || touch == null) {
            return false;
        }
        float x = event.getX();
        float y = event.getY();
        switch (event.getActionMasked()) {
            case MotionEvent.ACTION_DOWN:
                drag.set(x, y, x, y);
                dragging = true;
                break;
            case MotionEvent.ACTION_MOVE:
                drag.right = x;
                drag.bottom = y;
                break;
            case MotionEvent.ACTION_UP:
                dragging = false;
                drag.right = x;
                drag.bottom = y;
                finish();
                break;
            default:
                dragging = false;
        }
        invalidate();
        return true;
    }

    @Override
    public boolean performClick() {
        super.performClick();
        touch.onTap();
        return true;
    }

    private void finish() {
        if (Math.abs(drag.width()) < SHORTEST_DRAG || Math.abs(drag.height()) < SHORTEST_DRAG) {
            performClick();
            return;
        }
        Affine toPicture = scene.toView(getWidth(), getHeight()).inverse();
        double[][] ends = {{drag.left - 0.5, drag.top - 0.5}, {drag.right - 0.5, drag.bottom - 0.5}};
        touch.onBox(Box.around(toPicture.apply(ends)));
    }
}
