package cunet.app;

import android.view.View;

/** Keeps a screen clear of the system's bars and the camera's cut-out: from Android 15 apps are drawn below them. */
final class Edges {
    private Edges() {}

    /**
     * Pad the outermost view by what the system covers; its background goes on to the edges. By the calls whose
     * successors need Android 11: they count bars and cut-outs together.
     */
    static void keepClear(View root) {
        root.setOnApplyWindowInsetsListener((view, insets) -> {
            view.setPadding(insets.getSystemWindowInsetLeft(), insets.getSystemWindowInsetTop(),
                    insets.getSystemWindowInsetRight(), insets.getSystemWindowInsetBottom());
            return insets;
        });
    }
}
