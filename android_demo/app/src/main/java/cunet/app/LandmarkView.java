package cunet.app;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.graphics.RectF;
import android.os.Bundle;
import android.util.AttributeSet;
import android.view.MotionEvent;
import android.view.View;
import android.view.accessibility.AccessibilityNodeInfo;
import cunet.core.Affine;
import cunet.core.Box;

/**
 * Shows the analysed frame and what was found in it, in pixels and in words: no preview surface with a transform of its
 * own lies below. Fingers drag a box; a screen reader and a keyboard have actions instead.
 */
public final class LandmarkView extends View {
    private static final float SHORTEST_DRAG = 24;  // view pixels; less is a tap

    /** What people want of the picture. */
    interface Touch {
        /** A tap anywhere: search anew. */
        void onTap();

        /** A box was dragged, in upright pixels. */
        void onBox(Box box);

        /** Search the whole picture, whatever was said before. */
        void onWhole();
    }

    private final Drawing drawing = new Drawing();
    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final RectF drag = new RectF();
    private boolean dragging;
    private Scene scene;
    private Touch touch;

    /** As inflated from a layout. */
    public LandmarkView(Context context, AttributeSet attributes) {
        super(context, attributes);
        line.setStyle(Paint.Style.STROKE);
        line.setStrokeWidth(3);
        line.setColor(Color.WHITE);
        setFocusable(true);
        setContentDescription(Description.of(getResources(), null));
    }

    /** Show something else; on the main thread. */
    void show(Scene next) {
        scene = next;
        CharSequence words = Description.of(getResources(), next);
        if (!words.equals(getContentDescription())) {  // each change is an event for screen readers
            setContentDescription(words);
        }
        invalidate();
    }

    void listen(Touch listener) {
        touch = listener;
        setOnClickListener(view -> touch.onTap());
    }

    @Override
    protected void onDraw(Canvas canvas) {
        if (scene != null) {
            drawing.draw(canvas, scene, getWidth(), getHeight());
        }
        if (dragging) {
            canvas.drawRect(drag, line);
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

    private void finish() {
        if (Math.abs(drag.width()) < SHORTEST_DRAG || Math.abs(drag.height()) < SHORTEST_DRAG) {
            performClick();  // as a key does, and a screen reader's double tap
            return;
        }
        Affine toPicture = scene.toView(getWidth(), getHeight()).inverse();
        double[][] ends = {{drag.left - 0.5, drag.top - 0.5}, {drag.right - 0.5, drag.bottom - 0.5}};
        Box box = Box.around(toPicture.apply(ends));
        if (box.x1 < 0 || box.y1 < 0 || box.x0 >= scene.uprightWidth() || box.y0 >= scene.uprightHeight()) {
            return;  // beside the picture
        }
        touch.onBox(box);
    }

    @Override
    public void onInitializeAccessibilityNodeInfo(AccessibilityNodeInfo info) {
        super.onInitializeAccessibilityNodeInfo(info);
        info.addAction(new AccessibilityNodeInfo.AccessibilityAction(AccessibilityNodeInfo.ACTION_CLICK,
                getResources().getString(R.string.action_again)));
        info.addAction(new AccessibilityNodeInfo.AccessibilityAction(R.id.action_whole,
                getResources().getString(R.string.whole)));
    }

    @Override
    public boolean performAccessibilityAction(int action, Bundle arguments) {
        if (action == R.id.action_whole && touch != null) {
            touch.onWhole();
            return true;
        }
        return super.performAccessibilityAction(action, arguments);
    }
}
