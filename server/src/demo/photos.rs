//! Photographs of the afternoon: drawn scenes as real image files, so that hashing, sending and
//! showing them is real too. Knows no case.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

const WIDTH: u32 = 800;
const HEIGHT: u32 = 600;

type Colour = [u8; 3];

const SKY: Colour = [176, 205, 224];
const NIGHT: Colour = [22, 26, 42];
const WALL: Colour = [214, 196, 160];
const ROAD: Colour = [112, 110, 108];
const WATER: Colour = [96, 84, 62];
const GREEN: Colour = [66, 120, 58];
const TRUNK: Colour = [98, 72, 48];
const DARK: Colour = [34, 32, 30];
const LIGHT: Colour = [255, 226, 150];
const RED: Colour = [178, 52, 42];
const BLUE: Colour = [52, 84, 150];
const WHITE: Colour = [236, 236, 230];

/// Names of everything that [`draw`] draws.
#[cfg(test)]
pub(super) const SCENES: &[&str] = &[
    "manhole",
    "dark_alley",
    "leaning_tree",
    "sidewalk",
    "cables",
    "waste",
    "flooded_alley",
    "pothole",
    "stairs",
    "pond",
];

/// A scene as a file with its name: JPEG, and PNG for scenes that are drawn in few colours.
/// `seed` tells two photographs of one scene apart.
pub(super) fn draw(scene: &str, seed: u64) -> (String, Vec<u8>) {
    let mut canvas = Canvas::new(seed);
    match scene {
        "manhole" => manhole(&mut canvas),
        "dark_alley" => dark_alley(&mut canvas),
        "leaning_tree" => leaning_tree(&mut canvas),
        "sidewalk" => sidewalk(&mut canvas),
        "cables" => cables(&mut canvas),
        "waste" => waste(&mut canvas),
        "flooded_alley" => flooded_alley(&mut canvas),
        "pothole" => pothole(&mut canvas),
        "stairs" => stairs(&mut canvas),
        _ => pond(&mut canvas),
    }
    let is_png = scene == "cables";
    if !is_png {
        canvas.grain();
    }
    let (format, extension) = if is_png {
        (ImageFormat::Png, "png")
    } else {
        (ImageFormat::Jpeg, "jpg")
    };
    let mut file = Cursor::new(Vec::new());
    canvas
        .image
        .write_to(&mut file, format)
        .expect("an image of this size can be encoded into memory");
    (format!("{scene}-{seed}.{extension}"), file.into_inner())
}

fn street(canvas: &mut Canvas, sky: Colour, horizon: i32) {
    canvas.rectangle(0, 0, 800, horizon, sky);
    for (index, left) in (0..800).step_by(160).enumerate() {
        let top = horizon - 150 - canvas.chance(90);
        let shade = 18 * (index as i32 % 3);
        canvas.rectangle(left, top, left + 150, horizon, darker(WALL, shade));
        canvas.rectangle(left + 20, top + 25, left + 60, top + 80, darker(BLUE, 30));
        canvas.rectangle(
            left + 85,
            horizon - 80,
            left + 130,
            horizon,
            darker(TRUNK, 0),
        );
    }
    canvas.rectangle(0, horizon, 800, 600, ROAD);
}

fn manhole(canvas: &mut Canvas) {
    street(canvas, SKY, 230);
    canvas.disc(400, 430, 150, 70, darker(ROAD, 30));
    canvas.disc(400, 430, 130, 58, DARK);
    canvas.polygon(
        &[(300, 400), (470, 380), (500, 470), (330, 480)],
        darker(ROAD, 50),
    );
    canvas.line((260, 250), (370, 460), 10, TRUNK);
    canvas.disc(250, 235, 40, 26, GREEN);
}

fn dark_alley(canvas: &mut Canvas) {
    canvas.rectangle(0, 0, 800, 600, NIGHT);
    canvas.polygon(
        &[(0, 0), (300, 220), (300, 420), (0, 600)],
        darker(WALL, 150),
    );
    canvas.polygon(
        &[(800, 0), (500, 220), (500, 420), (800, 600)],
        darker(WALL, 160),
    );
    canvas.polygon(
        &[(300, 420), (500, 420), (800, 600), (0, 600)],
        darker(ROAD, 70),
    );
    canvas.line((520, 120), (520, 400), 8, darker(ROAD, 40));
    canvas.disc(400, 250, 26, 26, LIGHT);
    canvas.disc(400, 250, 12, 12, WHITE);
}

fn leaning_tree(canvas: &mut Canvas) {
    street(canvas, SKY, 330);
    canvas.line((260, 480), (520, 130), 46, TRUNK);
    canvas.line((300, 430), (420, 270), 5, DARK);
    for (x, y) in [(520, 110), (600, 150), (460, 70), (560, 60), (640, 90)] {
        canvas.disc(x, y, 90, 62, darker(GREEN, 12));
    }
    canvas.disc(250, 490, 90, 24, darker(TRUNK, 20));
}

fn sidewalk(canvas: &mut Canvas) {
    street(canvas, SKY, 260);
    canvas.polygon(
        &[(0, 360), (800, 320), (800, 420), (0, 480)],
        darker(WHITE, 60),
    );
    for x in (60..760).step_by(140) {
        canvas.rectangle(x, 350, x + 80, 366, RED);
        canvas.rectangle(x + 10, 366, x + 18, 420, DARK);
        canvas.rectangle(x + 60, 366, x + 68, 420, DARK);
        canvas.rectangle(x - 26, 380, x - 4, 420, BLUE);
        canvas.rectangle(x + 84, 380, x + 106, 420, BLUE);
    }
}

fn cables(canvas: &mut Canvas) {
    street(canvas, SKY, 380);
    canvas.rectangle(120, 40, 140, 560, darker(ROAD, 40));
    canvas.rectangle(650, 60, 668, 540, darker(ROAD, 40));
    for offset in 0..9 {
        let sag = 260 + offset * 34;
        canvas.line((130, 80 + offset * 6), (400, sag), 4, DARK);
        canvas.line((400, sag), (659, 90 + offset * 5), 4, DARK);
    }
    canvas.line((400, 520), (470, 590), 5, DARK);
}

fn waste(canvas: &mut Canvas) {
    street(canvas, SKY, 280);
    canvas.disc(400, 500, 300, 90, darker(WATER, 20));
    let colours = [WHITE, BLUE, RED, GREEN, DARK, LIGHT, WALL];
    for index in 0..90 {
        let (x, y) = (180 + canvas.chance(440), 360 + canvas.chance(150));
        let (wide, high) = (14 + canvas.chance(34), 10 + canvas.chance(26));
        canvas.disc(
            x,
            y,
            wide,
            high,
            darker(colours[index % colours.len()], canvas_shade(index)),
        );
    }
}

fn flooded_alley(canvas: &mut Canvas) {
    street(canvas, darker(SKY, 70), 250);
    canvas.rectangle(0, 330, 800, 600, WATER);
    for _ in 0..40 {
        let (x, y) = (canvas.chance(800), 340 + canvas.chance(250));
        let length = 40 + canvas.chance(90);
        canvas.line((x, y), (x + length, y), 2, lighter(WATER, 30));
    }
    canvas.disc(560, 400, 46, 46, DARK);
    canvas.disc(690, 400, 46, 46, DARK);
    canvas.rectangle(540, 340, 710, 380, RED);
    canvas.rectangle(0, 408, 800, 600, darker(WATER, 12));
}

fn pothole(canvas: &mut Canvas) {
    canvas.rectangle(0, 0, 800, 600, ROAD);
    canvas.rectangle(0, 0, 800, 60, darker(WALL, 20));
    canvas.disc(380, 340, 260, 130, darker(TRUNK, 10));
    canvas.disc(400, 360, 190, 84, WATER);
    for _ in 0..60 {
        let (x, y) = (140 + canvas.chance(500), 220 + canvas.chance(260));
        let (wide, high) = (5 + canvas.chance(9), 4 + canvas.chance(6));
        canvas.disc(x, y, wide, high, darker(ROAD, 40));
    }
}

fn stairs(canvas: &mut Canvas) {
    canvas.rectangle(0, 0, 800, 600, darker(WALL, 30));
    for step in 0..8 {
        let (left, top) = (60 + step * 84, 540 - step * 62);
        canvas.rectangle(
            left,
            top,
            left + 190,
            top + 62,
            darker(WHITE, 50 + step * 6),
        );
        canvas.line((left, top), (left + 190, top), 4, darker(WHITE, 110));
    }
    canvas.disc(420, 300, 74, 46, DARK);
    for bar in 0..4 {
        canvas.line(
            (360 + bar * 34, 270),
            (380 + bar * 34, 335),
            4,
            darker(RED, 20),
        );
    }
    canvas.line((60, 400), (620, 30), 9, darker(BLUE, 40));
}

fn pond(canvas: &mut Canvas) {
    street(canvas, SKY, 220);
    canvas.rectangle(0, 220, 800, 600, darker(GREEN, 20));
    canvas.disc(420, 420, 300, 120, darker(WATER, 25));
    for _ in 0..70 {
        let (x, y) = (170 + canvas.chance(500), 350 + canvas.chance(150));
        canvas.disc(x, y, 12, 6, lighter(GREEN, 10));
    }
    canvas.rectangle(90, 360, 190, 420, darker(RED, 20));
}

fn canvas_shade(index: usize) -> i32 {
    10 * (index as i32 % 5)
}

fn darker(colour: Colour, by: i32) -> Colour {
    lighter(colour, -by)
}

fn lighter(colour: Colour, by: i32) -> Colour {
    colour.map(|part| (i32::from(part) + by).clamp(0, 255) as u8)
}

/// A picture in the making, and the chance that makes it look less drawn.
struct Canvas {
    image: RgbImage,
    state: u64,
}

impl Canvas {
    fn new(seed: u64) -> Self {
        Self {
            image: RgbImage::new(WIDTH, HEIGHT),
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    /// From 0 to `below`, without it; the same for the same seed.
    fn chance(&mut self, below: i32) -> i32 {
        // xorshift64*, Marsaglia 2003.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        (high % u64::from(below.unsigned_abs().max(1))) as i32
    }

    fn put(&mut self, x: i32, y: i32, colour: Colour) {
        if (0..WIDTH as i32).contains(&x) && (0..HEIGHT as i32).contains(&y) {
            self.image.put_pixel(x as u32, y as u32, Rgb(colour));
        }
    }

    fn rectangle(&mut self, left: i32, top: i32, right: i32, bottom: i32, colour: Colour) {
        for y in top.max(0)..bottom {
            for x in left.max(0)..right {
                self.put(x, y, colour);
            }
        }
    }

    fn disc(&mut self, x: i32, y: i32, wide: i32, high: i32, colour: Colour) {
        for dy in -high..=high {
            let share = 1.0 - f64::from(dy * dy) / f64::from(high * high).max(1.0);
            let half = (f64::from(wide) * share.max(0.0).sqrt()) as i32;
            for dx in -half..=half {
                self.put(x + dx, y + dy, colour);
            }
        }
    }

    fn line(&mut self, from: (i32, i32), to: (i32, i32), thick: i32, colour: Colour) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
        for step in 0..=steps {
            let x = from.0 + (to.0 - from.0) * step / steps;
            let y = from.1 + (to.1 - from.1) * step / steps;
            self.rectangle(
                x - thick / 2,
                y - thick / 2,
                x + thick / 2 + 1,
                y + thick / 2 + 1,
                colour,
            );
        }
    }

    /// Fills a convex polygon.
    fn polygon(&mut self, corners: &[(i32, i32)], colour: Colour) {
        for y in 0..HEIGHT as i32 {
            let mut crossings: Vec<i32> = Vec::new();
            for (index, &(x1, y1)) in corners.iter().enumerate() {
                let (x2, y2) = corners[(index + 1) % corners.len()];
                if (y1 <= y && y < y2) || (y2 <= y && y < y1) {
                    crossings.push(x1 + (y - y1) * (x2 - x1) / (y2 - y1));
                }
            }
            if let (Some(&left), Some(&right)) = (crossings.iter().min(), crossings.iter().max()) {
                self.rectangle(left, y, right, y + 1, colour);
            }
        }
    }

    /// The noise of a small sensor, which is also what makes a photograph its size.
    fn grain(&mut self) {
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let by = self.chance(17) - 8;
                let Rgb(colour) = *self.image.get_pixel(x, y);
                self.image.put_pixel(x, y, Rgb(lighter(colour, by)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_is_a_file_that_a_phone_would_take() {
        for (seed, scene) in SCENES.iter().enumerate() {
            let (name, bytes) = draw(scene, seed as u64);
            let image = image::load_from_memory(&bytes).expect("an image");
            assert_eq!((image.width(), image.height()), (WIDTH, HEIGHT), "{name}");
            assert!(
                (4_000..600_000).contains(&bytes.len()),
                "{name}: {}",
                bytes.len()
            );
        }
        assert_ne!(draw("waste", 1).1, draw("waste", 2).1);
    }
}
