/**
 * Landmarks with a CU-Net, in plain Java 8: a picture and a model file in, points out.
 *
 * <p>Data walks one way: camera frame ({@link cunet.core.Yuv}) or picture, {@link cunet.core.Picture};
 * crop ({@link cunet.core.Affine}, {@link cunet.core.Warp}); network ({@link cunet.core.Engine});
 * heat maps to points ({@link cunet.core.Decoder}); points in the picture ({@link cunet.core.Localizer});
 * over frames ({@link cunet.core.Tracker}, {@link cunet.core.OneEuroFilter}); on the screen
 * ({@link cunet.core.Orientation}, {@link cunet.core.Overlay}). Points are (x, y), pixel centres on integers.
 */
package cunet.core;
