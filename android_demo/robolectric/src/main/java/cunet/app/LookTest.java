package cunet.app;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

import android.Manifest;
import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.Insets;
import android.graphics.drawable.AdaptiveIconDrawable;
import android.graphics.drawable.Drawable;
import android.hardware.camera2.CameraCharacteristics;
import android.view.View;
import android.view.ViewGroup;
import android.view.WindowInsets;
import android.view.accessibility.AccessibilityNodeInfo;
import android.widget.Button;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;

/** Light and dark, edges, words, languages, large letters. */
@RunWith(RobolectricTestRunner.class)
public final class LookTest {
    @After
    public void end() {
        Phone.end();
    }

    private static PictureActivity face() {
        return Phone.pictureOfFace().get();
    }

    private static int brightness(int colour) {
        return (colour >> 16 & 0xFF) + (colour >> 8 & 0xFF) + (colour & 0xFF);
    }

    @Test
    public void lightAndDark() {
        Bitmap light = Phone.screenshot(face(), "light");
        RuntimeEnvironment.setQualifiers("+night");
        Bitmap dark = Phone.screenshot(face(), "dark");
        assertTrue(brightness(light.getPixel(5, 5)) > 600);
        assertTrue(brightness(dark.getPixel(5, 5)) < 150);
    }

    @Test
    public void nothingLiesUnderTheSystemsBars() {
        PictureActivity activity = face();
        View root = activity.findViewById(R.id.root);
        WindowInsets bars = new WindowInsets.Builder().setSystemWindowInsets(Insets.of(0, 96, 0, 144)).build();
        activity.getWindow().getDecorView().dispatchApplyWindowInsets(bars);
        Phone.rest(100);
        assertEquals(96, root.getPaddingTop());
        assertEquals(144, root.getPaddingBottom());
        int[] place = new int[2];
        activity.findViewById(R.id.share).getLocationInWindow(place);
        assertTrue(place[1] + activity.findViewById(R.id.share).getHeight() <= root.getHeight() - 144);
        Phone.screenshot(activity, "edges");
    }

    @Test
    public void german() {
        RuntimeEnvironment.setQualifiers("+de");
        PictureActivity activity = face();
        assertTrue(Phone.words(activity), Phone.words(activity).startsWith("68 Landmarken: ein Gesicht in der Mitte"));
        Phone.screenshot(activity, "german");
    }

    @Test
    public void largeLettersInLandscapeCanBeReached() {
        RuntimeEnvironment.setFontScale(2f);
        RuntimeEnvironment.setQualifiers("+w740dp-h360dp-land");
        Shadows.shadowOf(Phone.application()).grantPermissions(Manifest.permission.CAMERA);
        Cameras.add("0", true, CameraCharacteristics.LENS_FACING_BACK, 90);  // as phones in landscape have it
        Cameras.add("1", true);
        CameraActivity activity = Phone.started(Robolectric.buildActivity(CameraActivity.class)).setup().get();
        CameraTest.live(activity);
        Phone.screenshot(activity, "large-letters");
        View share = activity.findViewById(R.id.share);
        assertTrue(share.requestRectangleOnScreen(new android.graphics.Rect(0, 0, share.getWidth(), share.getHeight()),
                true) || share.getGlobalVisibleRect(new android.graphics.Rect()));
    }

    @Test
    public void aScreenReaderHasActionsAndEveryControlHasWords() {
        PictureActivity activity = face();
        LandmarkView view = (LandmarkView) activity.findViewById(R.id.view);
        AccessibilityNodeInfo info = AccessibilityNodeInfo.obtain();
        view.onInitializeAccessibilityNodeInfo(info);
        String actions = info.getActionList().toString();
        assertTrue(actions, actions.contains("Search everywhere") && actions.contains("search again"));
        Scene before = Phone.scene(activity);
        assertTrue(view.performAccessibilityAction(R.id.action_whole, null));
        Phone.await("another answer", () -> Phone.scene(activity) != before);
        assertTrue(view.isFocusable() && view.isClickable());
        everyControl(activity, (ViewGroup) activity.findViewById(R.id.root));
    }

    private static void everyControl(Activity activity, ViewGroup group) {
        for (int i = 0; i < group.getChildCount(); i++) {
            View child = group.getChildAt(i);
            if (child instanceof ViewGroup && !child.isClickable()) {
                everyControl(activity, (ViewGroup) child);
            } else if (child.isShown() && child.isClickable()) {
                CharSequence words = child instanceof Button ? ((Button) child).getText()
                        : child.getContentDescription();
                assertFalse(child + " has no words", words == null || words.length() == 0);
                float dp = activity.getResources().getDisplayMetrics().density;
                assertTrue(child + " is too low to hit", child.getHeight() >= 48 * dp);
            }
        }
    }

    @Test
    public void theIconAdaptsItself() {
        Drawable icon = Phone.application().getDrawable(R.mipmap.icon);
        assertTrue(icon instanceof AdaptiveIconDrawable);
        Bitmap bitmap = Bitmap.createBitmap(216, 216, Bitmap.Config.ARGB_8888);
        icon.setBounds(0, 0, 216, 216);
        icon.draw(new android.graphics.Canvas(bitmap));
        Phone.save(bitmap, "icon");
        assertNotEquals(0, bitmap.getPixel(108, 108));
    }
}
