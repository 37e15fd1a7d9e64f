/**
 * What the modules hand each other. Points are (x, y) with pixel centres on whole numbers; angles are degrees,
 * clockwise as seen on the screen (docs/ports.md).
 *
 * @typedef {[number, number]} Point
 * @typedef {[number, number, number, number]} Box x0, y0, x1, y1.
 * @typedef {[number, number, number, number, number, number]} Matrix x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5.
 *
 * @typedef {object} Picture Upright, four bytes a pixel (red, green, blue, and one that nobody reads).
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray | Uint8Array} data
 *
 * @typedef {object} Look Where to look.
 * @property {Box} box Tight, before it was turned.
 * @property {number} factor By which the box is enlarged.
 * @property {number} roll
 *
 * @typedef {object} Detection What a detector found.
 * @property {Box} box
 * @property {number} score
 * @property {number} roll
 *
 * @typedef {object} HeatMaps
 * @property {number} side
 * @property {Float32Array[]} maps One for each landmark, row by row.
 *
 * @typedef {object} Shape
 * @property {number[][]} mean
 * @property {number[][]} modes
 * @property {number[]} spread
 *
 * @typedef {object} ConfidenceFields
 * @property {string[]} features
 * @property {Shape} shape Whole numbers, to be divided by 10,000.
 * @property {number[]} one
 * @property {number[]} two
 * @property {number} threshold
 * @property {number} visible
 *
 * @typedef {object} DetectorFields
 * @property {string} name
 * @property {Point} shift
 * @property {number} scale
 *
 * @typedef {object} Skeleton
 * @property {string} name
 * @property {string[]} names
 * @property {[number, number][] | null} [flip_pairs]
 * @property {[number, number][]} edges
 *
 * @typedef {object} Description The model's own, `cunet_spec` (docs/packed-format.md, section 5).
 * @property {string} name
 * @property {number} input_size
 * @property {number} crop_factor
 * @property {Skeleton} skeleton
 * @property {string} decoder
 * @property {number} sigma
 * @property {string} [data]
 * @property {string} [license]
 * @property {ConfidenceFields | null} [confidence]
 * @property {DetectorFields | null} [detector]
 *
 * @typedef {object} Found One object.
 * @property {Box} box Of the first look.
 * @property {Point[]} landmarks
 * @property {number[]} scores
 * @property {number | null} confidence
 * @property {boolean} found
 * @property {boolean[]} visible
 */
export {};
