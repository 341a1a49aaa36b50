//! `#[wasm_bindgen] pub fn f(…)` becomes `#[no_mangle] pub extern "C" fn f(…)`.

use proc_macro::{TokenStream, TokenTree};

#[proc_macro_attribute]
pub fn wasm_bindgen(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut out: TokenStream = "#[no_mangle]".parse().unwrap();
    let mut named = false;
    for token in item {
        if let TokenTree::Ident(word) = &token {
            if word.to_string() == "fn" && !named {
                named = true;
                out.extend("extern \"C\"".parse::<TokenStream>().unwrap());
            }
        }
        out.extend([token]);
    }
    out
}
